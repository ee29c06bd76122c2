"""The audit log: lines by who, what, order and time (CONSOLE.md §5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import ClassVar, Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import BaseRoute

from console.server.form import EMPTY, Form
from console.server.route import page
from console.server.times import ZONE
from console.server.visit import Visit
from storage.orders.audit_logs import AuditFilter, AuditLine, AuditPlace
from tasks.orders.upkeep.audit_lines import audit_lines

_ROWS: Final = 100
_TEXTS: Final = ("task_id", "event_type", "agent_id", "action")
_DAYS: Final = ("since", "until")
_LONGEST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """Lines that pass the filters of the address, a page of them."""

    template: ClassVar[str] = "orders/audit.html"
    page: ClassVar[str] = "audit.log"
    texts: ClassVar[tuple[str, ...]] = _TEXTS
    days: ClassVar[tuple[str, ...]] = _DAYS

    asked: Mapping[str, str]
    lines: Sequence[AuditLine]
    older: str | None
    """The query of the next page."""
    form: Form


def show_audit(visit: Visit) -> Response:
    """The newest lines first, or those before a place."""
    asked = {name: visit.query.get(name, "").strip()[:_LONGEST] for name in (*_TEXTS, *_DAYS)}
    days = {name: _midnight(asked[name]) for name in _DAYS if asked[name]}
    form = EMPTY.with_faults(**{name: "audit.log.no_day" for name, day in days.items() if day is None})
    if form.faults:
        return visit.faulty(AuditPage(asked=asked, lines=(), older=None, form=form))
    until = days.get("until")
    wanted = AuditFilter(
        **{name: asked[name] or None for name in _TEXTS},
        since=days.get("since"),
        until=None if until is None else until + timedelta(days=1),
    )
    lines, place = audit_lines(
        visit.parts.database, wanted, before=_place(visit.query.get("before", "")), limit=_ROWS
    )
    kept = {name: value for name, value in asked.items() if value}
    older = (
        None if place is None else urlencode({**kept, "before": f"{place.at.isoformat()} {place.position}"})
    )
    return visit.page(AuditPage(asked=asked, lines=lines, older=older, form=form))


def _midnight(given: str) -> datetime | None:
    """The beginning of a day; `None` where it is none."""
    try:
        return datetime.combine(date.fromisoformat(given), time(), tzinfo=ZONE)
    except ValueError:
        return None


def _place(given: str) -> AuditPlace | None:
    """The place of an address; the first page where it is none."""
    at, _, position = given.partition(" ")
    try:
        moment = datetime.fromisoformat(at)
        return AuditPlace(moment, int(position)) if moment.tzinfo else None
    except ValueError:
        return None


ROUTES: Final[tuple[BaseRoute, ...]] = (page("/audit", show_audit),)
"""The route of the audit log."""
