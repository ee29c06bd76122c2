"""What is wrong with a definition: the words for people, and the place in what was written."""

from dataclasses import dataclass
from typing import Final

MOST_FAULTS: Final = 1_000
"""Faults that one look at a definition tells; whoever wrote more of them has mended none yet."""


@dataclass(frozen=True, slots=True)
class DefinitionFault:
    """One thing wrong with a definition."""

    message: str
    step_id: str | None = None
    """The step that has it; `None`: the definition as a whole."""
    at: tuple[str | int, ...] = ()
    """The fields that lead to it, from the step, or from the definition where no step has it."""
