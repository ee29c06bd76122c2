"""How many at once, and how many in a while: for the runs of a workflow, or for one step of all its runs."""

from dataclasses import dataclass
from enum import Enum

from statemachine.workflow.expression.template import ValueTemplate


class WhenFull(Enum):
    """What becomes of a run that finds no slot."""

    QUEUE = "queue"
    SKIP = "skip"
    CANCEL_RUNNING = "cancel_running"


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """At most so many at the same time for each key."""

    limit: int
    key: ValueTemplate | None = None
    when_full: WhenFull = WhenFull.QUEUE


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most so many begun within this time for each key."""

    limit: int
    seconds: float
    key: ValueTemplate | None = None
