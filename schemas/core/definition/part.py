"""What the written parts of a definition have in common: their strictness, and the forms of their names."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

STEP_ID: Final = r"^[A-Za-z_][\w.-]{0,127}$"
WORKFLOW_NAME: Final = r"^[A-Za-z_][\w-]{0,127}$"
VARIABLE_NAME: Final = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"

_NAMED_PRIORITIES: Final = {"LOW": 2, "NORMAL": 5, "HIGH": 8, "CRITICAL": 10}


def _several(written: Any) -> Any:
    return (written,) if isinstance(written, str) else written


def _priority(written: Any) -> Any:
    return _NAMED_PRIORITIES.get(written.upper(), written) if isinstance(written, str) else written


StepId = Annotated[str, StringConstraints(pattern=STEP_ID)]
VariableName = Annotated[str, StringConstraints(pattern=VARIABLE_NAME)]
Targets = Annotated[tuple[str, ...], BeforeValidator(_several)]
"""One step or several."""
Names = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1, max_length=128)], ...], BeforeValidator(_several)
]
"""One name or several."""
Priority = Annotated[int, BeforeValidator(_priority), Field(ge=1, le=10)]
"""1 to 10, or LOW, NORMAL, HIGH, CRITICAL (seed 002)."""


class Part(BaseModel):
    """A part of a definition as written: an unknown field is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=False)
