"""What the route of the overview answers: where everything stands."""

from schemas.core.form import Answered, Moment


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

    problems: list[str]
    """What is not as it should be; empty when all is well."""
    warnings: list[str]
    """What people should know and nothing fails by."""
    work: WorkView | None
    """Null while PostgreSQL does not answer."""
