"""Where everything stands: how deep the queues are, the orders by state, what waits for people, what is due next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.publisher import Publisher, WireUnavailable
from runtime.mask import mask_text
from schemas.orders.explain.sentence import When
from statemachine.orders.states import State
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock, Moments
from storage.engine.step_counts import StepCount, StepCounts
from storage.engine.workers import Workers, WorkersSeen
from storage.orders.contacts.stops import ContactStops
from storage.orders.figures.figures import Figures, Histogram
from storage.orders.fleet_view import DueRow, FleetView
from tasks.orders.explain.moment_format import MomentFormat, span
from tools.calendar import Calendar
from tools.contact_policy.zone import DEFAULT_ZONE

COLUMNS: Final = ("ready", "published", "leased", "scheduled", "parked", "offered")
"""The states of rows that a queue is shown with."""

STAGES: Final = ("woken", "begun")
"""What can be late of a step that waited for a moment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueOverview:
    """The rows of a queue by state, the messages the broker holds for it, and how old its oldest row is."""

    rows: Mapping[str, int]
    messages: int | None
    oldest_seconds: float
    workers: WorkersSeen
    """The processes that serve it, as PostgreSQL sees them."""

    @property
    def oldest(self) -> str:
        """The age of its oldest row in words."""
        return span(timedelta(seconds=self.oldest_seconds)) if self.oldest_seconds else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOverview:
    """What PostgreSQL says of the work."""

    queues: Mapping[str, QueueOverview]
    tasks: Mapping[str, int]
    reviews_open: int
    reviews_overdue: int
    alerts_last_hour: int
    next_due: Sequence[DueRow]
    moments: Moments
    lateness: Mapping[str, Histogram]
    """How long after its moment what was waited for was `woken`, and `begun`."""
    warnings: Sequence[str]
    """What people should know and nothing fails by: contacts are stopped, holidays are not official yet."""

    @property
    def lines(self) -> list[str]:
        """What is due next, and what time it is on the business clock, in words."""
        moment_format = MomentFormat(self.moments, ZoneInfo(DEFAULT_ZONE))
        rate = self.moments.anchor.rate
        return [
            *(
                f"oldest due row on the {row.due_clock} clock: {row.subject}, {row.node} ({row.state}), "
                f"{moment_format.until(When(row.due_at, row.due_clock))}"
                for row in self.next_due
            ),
            f"business clock: {moment_format.date(self.moments.business_now)} ({DEFAULT_ZONE})"
            + (f", running {rate:g} times as fast" if rate != 1 else ""),
        ]


@dataclass(frozen=True, slots=True)
class FleetOverview:
    """The work, unless PostgreSQL does not answer, and what is not as it should be."""

    work: WorkOverview | None
    problems: Sequence[str]


def overview_of(
    database: Database, publisher: Publisher, queues: Sequence[str], calendar: Calendar
) -> FleetOverview:
    """Where everything stands at this moment; a server that does not answer is a problem, and no error."""
    problems: list[str] = []
    messages: Mapping[str, int | None] = dict.fromkeys(queues)
    try:
        messages = publisher.depths(queues)
    except WireUnavailable as error:
        problems.append(f"the broker does not answer: {mask_text(str(error))}")
    try:
        with database.snapshot() as work:
            found = _work(work, messages, calendar)
    except StorageUnavailable as error:
        return FleetOverview(None, [*problems, f"PostgreSQL does not answer: {mask_text(str(error))}"])
    return FleetOverview(found, problems)


def _work(work: UnitOfWork, messages: Mapping[str, int | None], calendar: Calendar) -> WorkOverview:
    rows = StepCounts(work).by_queue(tuple(messages))
    counters = Figures(work).counters()
    reviews, alerts = Figures(work).reviews(counters), Figures(work).alerts()
    orders = Figures(work).orders(counters).by_state
    workers = Workers(work).seen()
    return WorkOverview(
        queues={
            queue: _queue(queue, rows, messages.get(queue), workers.get(queue, WorkersSeen()))
            for queue in dict.fromkeys([*messages, *(row.queue for row in rows)])
        },
        tasks={state.value: orders.get(state, 0) for state in State},
        reviews_open=reviews.open,
        reviews_overdue=reviews.overdue,
        alerts_last_hour=alerts.last_hour,
        next_due=FleetView(work).next_due(),
        moments=BusinessClock(work).now(),
        lateness={stage: counters.lateness(stage) for stage in STAGES},
        warnings=_warnings(work, calendar),
    )


def _queue(name: str, rows: Sequence[StepCount], messages: int | None, workers: WorkersSeen) -> QueueOverview:
    own = [row for row in rows if row.queue == name]
    return QueueOverview(
        rows=dict.fromkeys(COLUMNS, 0) | {row.state: row.rows for row in own},
        messages=messages,
        oldest_seconds=round(max((row.oldest_seconds for row in own), default=0.0), 3),
        workers=workers,
    )


def _warnings(work: UnitOfWork, calendar: Calendar) -> list[str]:
    warnings = [
        f"contact by {stop.channel or 'every channel'} is stopped"
        f"{f' in {stop.region}' if stop.region else ''} by {stop.stopped_by}: {stop.reason} ({stop.stop_id})"
        for stop in ContactStops(work).list()
    ]
    furthest = FleetView(work).furthest_due()
    horizon = None if furthest is None else calendar.horizon_warning(furthest.date())
    return warnings if horizon is None else [*warnings, horizon.sentence]
