"""What the health routes answer."""

from typing import Literal

from pydantic import ConfigDict

from schemas.core.form import Answered
from schemas.core.load import QueueLoad, WorkersView

Condition = Literal["ok", "unavailable"]
TickCondition = Literal["ok", "late", "unknown"]


class Parts(Answered):
    """What the API needs for orders to move on."""

    database: Condition
    broker: Condition
    tick: TickCondition
    """`late` when the last sweep is more than 15 seconds ago; `unknown` without the database."""


class Health(Answered):
    """How the API and what it needs are doing."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "status": "ok",
                    "version": "0.1.0",
                    "parts": {"database": "ok", "broker": "ok", "tick": "ok"},
                }
            ]
        },
    )

    status: Literal["ok", "degraded"]
    version: str
    parts: Parts


class Installation(Answered):
    """What the database tells of the whole fleet."""

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

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "status": "ok",
                    "version": "0.1.0",
                    "parts": {"database": "ok", "broker": "ok", "tick": "ok"},
                    "fleet": {
                        "tick_seconds": 0.4,
                        "open_steps": 94,
                        "queues": {
                            "contact": {
                                "waiting": 12,
                                "published": 2,
                                "leased": 32,
                                "parked": 40,
                                "scheduled": 7,
                                "offered": 1,
                                "oldest_seconds": 0.8,
                            }
                        },
                        "workers": {"contact": {"connections": 2, "at_work": 1}},
                        "webhook_seconds": 0.0,
                    },
                }
            ]
        },
    )

    fleet: Installation | None
    """Null while the database does not answer."""


class Alive(Answered):
    """The process answers."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"] = "ok"
