"""What an `emit` step sends: a message, a signal or an event."""

from dataclasses import dataclass
from enum import Enum

from statemachine.workflow.expression.template import ValueTemplate


class EmissionKind(Enum):
    """The kinds of what is sent."""

    MESSAGE = "message"
    SIGNAL = "signal"
    EVENT = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """One thing to send when the step is reached."""

    kind: EmissionKind
    name: ValueTemplate
    key: ValueTemplate | None = None
    """Of a message."""
    payload: ValueTemplate | None = None
