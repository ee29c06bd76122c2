"""Response bodies of the health routes."""

from typing import Literal

from schemas.core.form import Answered
from schemas.core.load import QueueLoad, WorkersView

Condition = Literal["ok", "unavailable"]
TickCondition = Literal["ok", "late", "unknown"]


class PartConditions(Answered):
    """What the API needs for orders to move on."""

    database: Condition
    broker: Condition
    tick: TickCondition
    """`late` when the last sweep is more than 15 seconds ago; `unknown` without the database."""


class Health(Answered):
    """How the API and what it needs are doing."""

    status: Literal["ok", "degraded"]
    version: str
    parts: PartConditions


class FleetHealth(Answered):
    """How the whole fleet is doing, by the database."""

    tick_seconds: float | None
    """Since the last sweep; null before the first."""
    open_steps: int
    """Steps that are not done, in every queue."""
    queues: dict[str, QueueLoad]
    workers: dict[str, WorkersView]
    """By agent's queue, and the tick's."""
    webhook_seconds: float
    """How long the message to a subscriber that is due the longest has not been sent; 0 when none is due."""


class WholeHealth(Health):
    """How everything is doing."""

    fleet: FleetHealth | None
    """Null while the database does not answer."""


class Alive(Answered):
    """The process answers."""

    status: Literal["ok"] = "ok"
