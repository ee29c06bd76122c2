"""What of a definition could not be read, so that nothing is said of it that may not be so."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Unread:
    """The fields and steps whose own form is wrong; their faults are told already."""

    of_steps: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The fields that are left out, by step."""
    steps: frozenset[str] = frozenset()
    """What steps are called that are left out as a whole."""
    unnamed: bool = False
    """Whether a step is left out that has no name."""
    of_workflow: frozenset[str] = frozenset()

    @property
    def ways(self) -> bool:
        """Whether it is unknown what leads where."""
        return bool(self.of_steps or self.steps or self.unnamed)


NOTHING_UNREAD: Final = Unread()
