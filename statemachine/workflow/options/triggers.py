"""What begins a run by itself."""

from dataclasses import dataclass
from enum import Enum

from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.template import ValueTemplate
from statemachine.workflow.states import RunState


class TriggerKind(Enum):
    """The kinds of sources."""

    EVENT = "event"
    MESSAGE = "message"
    SIGNAL = "signal"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"
    RUN_ENDED = "run_ended"


class Overlap(Enum):
    """What becomes of a scheduled run while the one before is still open."""

    SKIP = "skip"
    QUEUE_ONE = "queue_one"
    QUEUE_ALL = "queue_all"
    ALLOW = "allow"
    CANCEL = "cancel"


class CatchUp(Enum):
    """What becomes of the times that passed while nothing ran."""

    NONE = "none"
    LAST = "last"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Times by a cron line, in a time zone."""

    cron: str
    timezone: str = "UTC"
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.LAST


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """One source, and which of what comes from it begins a run, with which parameters."""

    kind: TriggerKind
    name: str = ""
    """Of the event, message or signal; the path of a webhook; the workflow whose run has ended."""
    condition: Expression | None = None
    """Over `event`; none: always."""
    parameters: ValueTemplate | None = None
    """Of the run, over `event`; none: what came, as it came."""
    schedule: Schedule | None = None
    secret: str | None = None
    """The name of the secret that signs a webhook."""
    states: tuple[RunState, ...] = ()
    """In which of them the run ended; none: any."""
