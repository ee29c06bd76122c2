"""The page of alerts: merged by type, each type with its rows; acknowledged and resolved, one or all of a type."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.cursor import cursor_of, place_of
from api.server.refusal import unknown
from console.server.fields import PAGE_ROWS, chosen, named, names_in, query_of, text_fault
from console.server.form import EMPTY, Form
from console.server.route import change, page
from console.server.visit import Visit, see
from schemas.access.scopes import Scope
from storage.people.alerts import Alert, AlertCount, AlertFilter
from tasks.people.alerts import (
    Attention,
    acknowledge,
    acknowledge_all,
    count_alerts,
    list_alerts,
    resolve,
    resolve_all,
)

STATES: Final = ("open", "pending_review", "acknowledged", "resolved")
"""What alerts can be listed by; `open` is everything that nobody resolved."""
SEVERITIES: Final = ("critical", "warning", "info")
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsPage:
    """The alerts of a state and severity by type; of one type the rows."""

    template: ClassVar[str] = "people/alerts.html"
    page: ClassVar[str] = "alerts"
    states: ClassVar[Sequence[str]] = STATES
    severities: ClassVar[Sequence[str]] = SEVERITIES

    state: str
    severity: str | None
    opened: str | None
    """The type whose rows are shown."""
    groups: Sequence[AlertCount]
    rows: Sequence[Alert]
    next: str | None
    """The cursor of the rows that follow."""
    form: Form = EMPTY
    done: int | None = None
    """How many alerts were handled at once."""
    refusal: str | None = None

    @property
    def number(self) -> int:
        """How many there are of all types."""
        return sum(group.number for group in self.groups)

    def query(self, opened: str | None = None, cursor: str | None = None) -> str:
        """The query of this list, with the rows of a type."""
        state = None if self.state == STATES[0] else self.state
        return query_of({"state": state, "severity": self.severity, "type": opened, "cursor": cursor})


def show_alerts(visit: Visit) -> Response:
    """The alerts as the query asks for them."""
    return visit.page(_page(visit))


def attend(visit: Visit) -> Response:
    """Acknowledge or resolve one alert, or all of the type that were on the page."""
    form = visit.form
    shown = replace(_page(visit), form=form)
    fault = text_fault(form["note"], is_needed=False)
    if fault is not None:
        return visit.faulty(replace(shown, form=form.with_faults(note=fault)))
    for alert_type in names_in(form, "all"):
        done = _attend_all(visit, alert_type)
        return visit.page(replace(_page(visit), done=done))
    alert_id = next(iter(names_in(form, "alert_id")), "")
    handle = resolve if form["do"] == "resolve" else acknowledge
    outcome, alert = handle(visit.parts.database, alert_id, by=visit.login, note=form["note"] or None)
    if alert is None:
        raise unknown("alert", alert_id)
    if outcome is Attention.RESOLVED:
        return visit.page(replace(shown, refusal="alerts.refusal.resolved"), _CONFLICT)
    return see(f"/alerts{shown.query(shown.opened)}")


def _attend_all(visit: Visit, alert_type: str) -> int:
    form = visit.form
    try:
        until = datetime.fromisoformat(form["until"])
    except ValueError as error:
        raise HTTPException(400, "until") from error
    if until.tzinfo is None:
        raise HTTPException(400, "until")
    handle = resolve_all if form["do"] == "resolve" else acknowledge_all
    wanted = replace(_wanted(visit), alert_type=alert_type)
    return handle(visit.parts.database, wanted, until=until, by=visit.login, note=form["note"] or None)


def _wanted(visit: Visit) -> AlertFilter:
    state = chosen(visit, "state", STATES) or STATES[0]
    is_open = state == STATES[0]
    return AlertFilter(
        status=None if is_open else state, severity=chosen(visit, "severity", SEVERITIES), is_open=is_open
    )


def _page(visit: Visit) -> AlertsPage:
    wanted, opened = _wanted(visit), named(visit, "type")
    rows: Sequence[Alert] = ()
    if opened is not None:
        rows = list_alerts(
            visit.parts.database,
            replace(wanted, alert_type=opened),
            after=place_of(visit.query.get("cursor") or None),
            limit=PAGE_ROWS + 1,
        )
    shown = rows[:PAGE_ROWS]
    more = len(rows) > len(shown)
    return AlertsPage(
        state=wanted.status or STATES[0],
        severity=wanted.severity,
        opened=opened,
        groups=count_alerts(visit.parts.database, wanted),
        rows=shown,
        next=cursor_of((shown[-1].raised_at, shown[-1].alert_id)) if more else None,
    )


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/alerts", show_alerts),
    change("/alerts", attend, scope=Scope.ALERTS),
)
"""The routes of alerts."""
