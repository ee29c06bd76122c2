"""The route of the overview: where everything stands, for those who look after the fleet."""

from fastapi import APIRouter

from api.server.authentication import requires
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.orders.explain.overview import (
    ClockView,
    DueView,
    OverviewView,
    QueueView,
    ReviewsWaiting,
    WorkView,
)
from tasks.orders.explain.overview import WorkOverview, overview_of
from tools.calendar.document import load_calendar

router = APIRouter(tags=["tasks"], route_class=Route)


@router.get("/overview", summary="Where everything stands", dependencies=[requires(Scope.READ)])
def fleet_overview(parts: GivenParts) -> OverviewView:
    """Queues, orders by state, questions, alerts, what is due next; a server that is away is a problem named here."""
    calendar = load_calendar(parts.settings.config_folder / "policies" / "calendar.yaml")
    found = overview_of(parts.database, parts.publisher, parts.agents.queues, calendar)
    return OverviewView(
        problems=list(found.problems),
        warnings=list(found.work.warnings) if found.work else [],
        work=_work(found.work) if found.work else None,
    )


def _work(work: WorkOverview) -> WorkView:
    return WorkView(
        queues={
            name: QueueView(
                rows=dict(queue.rows),
                messages=queue.messages,
                oldest_seconds=queue.oldest_seconds,
                oldest=queue.oldest,
            )
            for name, queue in work.queues.items()
        },
        tasks=dict(work.tasks),
        reviews=ReviewsWaiting(open=work.reviews_open, overdue=work.reviews_overdue),
        alerts_last_hour=work.alerts_last_hour,
        next_due=[
            DueView(
                task=row.subject,
                step=row.node,
                state=row.state,
                due_at=row.due_at,
                clock=row.due_clock.value,
            )
            for row in work.next_due
        ],
        clock=ClockView(
            business=work.moments.business_now,
            database=work.moments.database_now,
            rate=work.moments.anchor.rate,
        ),
        lines=work.lines,
    )
