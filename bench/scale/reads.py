"""What is measured: each read of exporter, health, status, lists, budgets and erasure, by the name it is shown with."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from api.server.load import loads
from bench.scale.plans import Read
from schemas.orders.contact import Channel
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import BusinessClock
from storage.engine.queues import Queues
from storage.engine.runs import Runs
from storage.engine.step_counts import StepCounts
from storage.flows.task_list import TaskFilter, TaskList
from storage.orders.audit_logs import AuditFilter, AuditLogs
from storage.orders.contacts.constraints import ConstraintQuery, ContactConstraints
from storage.orders.figures.days import DayFigures
from storage.orders.figures.figures import Counters, Figures
from storage.orders.fleet_view import FleetView
from storage.orders.report import Reports
from storage.orders.subject_table import ORDERS
from storage.orders.upkeep.privacy import Privacy
from storage.people.reviews import Reviews

_PAGE: Final = 50
_RARE: Final = "of-nobody"
"""A value that no row has: the whole of what a filter looks through is read."""


def reads(queues: tuple[str, ...], task_id: str) -> dict[str, Read]:
    """Every read by its name; `task_id` is an order to be forgotten, in a transaction that is rolled back."""
    return {
        "health": lambda work: loads(work, queues),
        "tick: runs overdue": lambda work: Runs(work).overdue(500),
        "tick: horizon": lambda work: Queues(work).horizon(),
        **dict(_exporter()),
        **dict(_status(queues)),
        **{f"tasks {name}": _tasks(wanted) for name, wanted in _TASKS.items()},
        **dict(_reviews()),
        **{f"audit {name}": _audit(wanted) for name, wanted in _AUDIT.items()},
        "daily budget": _budget,
        **dict(_of_a_day()),
        "forget a customer": lambda work: Privacy(work).erase([task_id], [], []),
    }


_TASKS: Final = {
    "newest": TaskFilter(),
    **{
        f"status {state.value}": TaskFilter(status=state)
        for state in (
            RunState.CREATED,
            RunState.RUNNING,
            RunState.PAUSED,
            RunState.COMPLETED,
            RunState.FAILED,
        )
    },
    **{f"state {state}": TaskFilter(state=state) for state in ("waiting_followup", "closed", "classified")},
    "order_id": TaskFilter(order_id=_RARE),
    "priority": TaskFilter(priority_min=9),
    "workflow": TaskFilter(workflow="pending_task"),
}
_AUDIT: Final = {
    "newest": AuditFilter(),
    "agent": AuditFilter(agent_id="triage_agent"),
    "agent, rare": AuditFilter(agent_id=_RARE),
    "event": AuditFilter(event_type="intent_classified"),
    "event, rare": AuditFilter(event_type=_RARE),
    "event, seldom": AuditFilter(event_type="review_opened"),
}


def _exporter() -> Iterator[tuple[str, Read]]:
    yield "exporter: counters", lambda work: Figures(work).counters()
    yield "exporter: orders", lambda work: Figures(work).orders(Counters({}))
    yield "exporter: confidence", lambda work: Figures(work).confidence()
    yield "exporter: automation", lambda work: Figures(work).automation()
    yield "exporter: alerts", lambda work: Figures(work).alerts()
    yield "exporter: reviews", lambda work: Figures(work).reviews(Counters({}))


def _of_a_day() -> Iterator[tuple[str, Read]]:
    yield "day: contacts", lambda work: DayFigures(work).contacts(*_day(work))
    yield "day: accepted", lambda work: DayFigures(work).accepted(*_day(work))
    yield "day: decided", lambda work: DayFigures(work).decided(*_day(work))
    yield "day: automation", lambda work: DayFigures(work).automation(*_day(work))
    yield "day: orders", lambda work: Reports(work).of_period(*_day(work))


def _day(work: UnitOfWork) -> tuple[datetime, datetime]:
    now = BusinessClock(work).now().business_now
    return now - timedelta(days=2), now - timedelta(days=1)


def _status(queues: tuple[str, ...]) -> Iterator[tuple[str, Read]]:
    yield "status: queues", lambda work: StepCounts(work).by_queue(queues)
    yield "status: next due", lambda work: FleetView(work).next_due()
    yield "status: furthest due", lambda work: FleetView(work).furthest_due()


def _reviews() -> Iterator[tuple[str, Read]]:
    yield "reviews open", lambda work: Reviews(work).list(limit=_PAGE)
    yield "reviews by reason", lambda work: Reviews(work).list(reason=_RARE, limit=_PAGE)
    yield "reviews claimed", lambda work: Reviews(work).list(claimed=True, limit=_PAGE)
    yield "reviews decided", lambda work: Reviews(work).list(state="decided", limit=_PAGE)


def _tasks(wanted: TaskFilter) -> Read:
    return lambda work: TaskList(work, (ORDERS,)).page(wanted, after=None, limit=_PAGE)


def _audit(wanted: AuditFilter) -> Read:
    return lambda work: AuditLogs(work).find(wanted, before=None, limit=_PAGE)


def _budget(work: UnitOfWork) -> object:
    return ContactConstraints(work).look(
        ConstraintQuery(
            numbers=frozenset({bytes(32)}),
            keys=(),
            longest=timedelta(days=7),
            most=10,
            budgeted=tuple(Channel),
        )
    )
