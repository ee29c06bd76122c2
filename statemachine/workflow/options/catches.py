"""What a wait waits for, and what breaks in upon a step, a scope or a run."""

from dataclasses import dataclass
from enum import StrEnum

from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.template import ValueTemplate


class CatchKind(StrEnum):
    """The kinds of what is caught."""

    MESSAGE = "message"
    """For one receiver, found by name and key; kept until somebody waits for it."""
    SIGNAL = "signal"
    """For all that wait now."""
    TIMER = "timer"
    """A time on the business clock."""
    CONDITION = "condition"
    """Looked at when a variable of the run changes."""
    ERROR = "error"
    """A failure, by its code."""
    ESCALATION = "escalation"
    """What an `end` with an escalation reports to what is around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """One thing that is waited for, and what follows it."""

    kind: CatchKind
    name: str = ""
    """Of the message or signal."""
    key: ValueTemplate | None = None
    """Of the message."""
    timer: ValueTemplate | None = None
    """Seconds, a duration such as `P3D` (ISO 8601), or a moment."""
    condition: Expression | None = None
    codes: tuple[str, ...] = ()
    """Of errors or escalations; none: any."""
    interrupts: bool = True
    """Whether what it is caught on ends by it; a wait always does."""
    next: tuple[str, ...] = ()
