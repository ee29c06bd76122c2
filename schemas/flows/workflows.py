"""Bodies of the workflow routes: versions of definitions, and what is wrong with one."""

from typing import Annotated, Any, Literal

from pydantic import Field

from schemas.core.definition.part import WORKFLOW_NAME
from schemas.core.form import Answered, Moment, Succeeded

WorkflowName = Annotated[str, Field(pattern=WORKFLOW_NAME)]
VersionName = Annotated[str, Field(pattern=r"^[0-9][0-9a-z.]{0,15}$")]

State = Literal["draft", "active", "retired"]


class DefinitionProblemView(Answered):
    """One thing wrong with a definition."""

    pointer: str
    """The place as a JSON Pointer (RFC 6901); empty: the definition as a whole."""
    message: str
    line: int | None
    """Where YAML was sent: the line of the field, from 1."""
    column: int | None


class DefinitionChecked(Answered):
    """What a check found; nothing was kept."""

    valid: bool
    """Whether this version could be activated here."""
    workflow: str | None
    version: str | None
    problems: list[DefinitionProblemView]


class WorkflowVersionView(Answered):
    """A version of a workflow, as it stands."""

    workflow: str
    version: str
    state: State
    registered_at: Moment
    activated_at: Moment | None
    retired_at: Moment | None


class WorkflowView(Answered):
    """A workflow with its versions, the one that was activated last first."""

    workflow: str
    current_version: str | None
    """What new runs begin with; null while none is active."""
    versions: list[WorkflowVersionView]


class WorkflowList(Answered):
    """Every workflow, by name."""

    workflows: list[WorkflowView]


class DefinitionView(WorkflowVersionView):
    """A version with its definition as it was written."""

    definition: dict[str, Any]


class DefinitionAdded(Succeeded):
    """A version is kept."""

    outcome: Literal["added", "existing"]
    """`existing`: this very body was there before; its state is what it was."""
    version: WorkflowVersionView


class DefinitionMoved(Succeeded):
    """A version is in the state that was asked for."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; nothing was changed."""
    version: WorkflowVersionView
