"""How a gateway parts branches, and how branches wait for one another."""

from dataclasses import dataclass
from enum import Enum

from statemachine.workflow.expression.compiled import Expression


class GatewayMode(Enum):
    """Which of its branches a gateway takes."""

    EXCLUSIVE = "exclusive"
    """The first whose condition holds."""
    INCLUSIVE = "inclusive"
    """Every one whose condition holds."""
    PARALLEL = "parallel"
    """All."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Targets that are taken where a condition holds."""

    next: tuple[str, ...]
    condition: Expression | None = None
    """None: where no other branch is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Join:
    """How many of the branches that lead here must come before it goes on."""

    count: int | None = None
    """None: all; of an inclusive gateway all that can still come."""
    cancels: bool = False
    """Whether the branches that are still open are cancelled then."""
