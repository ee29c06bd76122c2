"""What the route of the overview answers: where everything stands."""

from typing import Any, Final

from pydantic import ConfigDict

from schemas.core.form import Answered, Moment

_QUEUE: Final[dict[str, Any]] = {
    "rows": {"ready": 2, "published": 1, "leased": 4, "scheduled": 12, "parked": 30, "offered": 0},
    "messages": 1,
    "oldest_seconds": 0.8,
    "oldest": "0.8 s",
}
_WORK: Final[dict[str, Any]] = {
    "queues": {"contact": _QUEUE},
    "tasks": {"contacting": 40, "closed": 812},
    "reviews": {"open": 3, "overdue": 0},
    "alerts_last_hour": 1,
    "next_due": [
        {
            "task": "HT20260313001",
            "step": "wait_for_followup",
            "state": "parked",
            "due_at": "2026-03-16T01:00:00.000Z",
            "clock": "business",
        }
    ],
    "clock": {
        "business": "2026-03-13T13:05:00.000Z",
        "database": "2026-03-13T13:05:00.000Z",
        "rate": 1.0,
    },
    "lines": ["business clock: Fri 2026-03-13 21:05 (Asia/Shanghai)"],
}


class QueueView(Answered):
    """A queue: its rows by state, the broker's messages, the age of its oldest row."""

    rows: dict[str, int]
    messages: int | None
    """Null while the broker does not say."""
    oldest_seconds: float
    oldest: str
    """The same in words."""


class ReviewsWaiting(Answered):
    """Questions that wait for a person."""

    open: int
    overdue: int


class DueView(Answered):
    """The row of a clock whose time comes first."""

    task: str
    step: str
    state: str
    due_at: Moment
    clock: str


class ClockView(Answered):
    """What time it is on both clocks, and how fast the business clock runs."""

    business: Moment
    database: Moment
    rate: float


class WorkView(Answered):
    """What PostgreSQL says of the work."""

    queues: dict[str, QueueView]
    tasks: dict[str, int]
    """Orders by their state."""
    reviews: ReviewsWaiting
    alerts_last_hour: int
    next_due: list[DueView]
    clock: ClockView
    lines: list[str]
    """What is due next, and the business time, in words."""


class OverviewView(Answered):
    """Where everything stands."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"problems": [], "warnings": [], "work": _WORK}]},
    )

    problems: list[str]
    """What is not as it should be; empty when all is well."""
    warnings: list[str]
    """What people should know and nothing fails by."""
    work: WorkView | None
    """Null while PostgreSQL does not answer."""
