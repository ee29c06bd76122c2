"""Alerts as people see and handle them: listed, acknowledged, resolved, each with an audit line."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.orders.effects import Audit
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.orders.orders import Orders
from storage.orders.timeline import Timeline
from storage.people.alerts import Alert, AlertCount, AlertFilter, Alerts

MOST_AT_ONCE: Final = 500
"""Alerts of a type that are handled at once; of more, the newest."""


class Attention(StrEnum):
    """The result of handling an alert."""

    APPLIED = "applied"
    REPEATED = "repeated"
    """It was so before; who did it then, and what they noted, stays."""
    RESOLVED = "resolved"
    """It is resolved, which is final; nothing was changed."""
    UNKNOWN = "unknown"


def list_alerts(
    database: Database, wanted: AlertFilter, *, after: tuple[datetime, str] | None = None, limit: int = 100
) -> Sequence[Alert]:
    """Alerts, the newest first, from behind the place (`raised_at`, `alert_id`) on."""
    with database.transaction() as work:
        return Alerts(work).list(wanted, after=after, limit=limit)


def count_alerts(database: Database, wanted: AlertFilter) -> Sequence[AlertCount]:
    """How many there are of each type; types with critical ones first."""
    with database.transaction() as work:
        return Alerts(work).count_by_type(wanted)


def acknowledge(
    database: Database, alert_id: str, *, by: str, note: str | None = None
) -> tuple[Attention, Alert | None]:
    """Somebody has seen the alert and looks into it."""
    return _attend(database, alert_id, "acknowledged", by=by, note=note)


def resolve(
    database: Database, alert_id: str, *, by: str, note: str | None = None
) -> tuple[Attention, Alert | None]:
    """What the alert was about is dealt with; whether anybody acknowledged it before does not matter."""
    return _attend(database, alert_id, "resolved", by=by, note=note)


def acknowledge_all(
    database: Database, wanted: AlertFilter, *, until: datetime, by: str, note: str | None = None
) -> int:
    """Acknowledge what nobody has seen yet of what was raised until then; how many that was."""
    unseen = replace(wanted, status="pending_review", is_open=True)
    return _attend_all(database, unseen, "acknowledged", until=until, by=by, note=note)


def resolve_all(
    database: Database, wanted: AlertFilter, *, until: datetime, by: str, note: str | None = None
) -> int:
    """Resolve what is open of what was raised until then: nobody has looked at what came later; how many."""
    return _attend_all(database, replace(wanted, is_open=True), "resolved", until=until, by=by, note=note)


def _attend_all(
    database: Database, wanted: AlertFilter, status: str, *, until: datetime, by: str, note: str | None
) -> int:
    found = list_alerts(database, wanted, limit=MOST_AT_ONCE)
    # Each in a transaction of its own, so that two who do the same never wait for each other in a circle.
    results = [
        _attend(database, alert.alert_id, status, by=by, note=note)[0]
        for alert in found
        if alert.raised_at <= until
    ]
    return results.count(Attention.APPLIED)


def _attend(
    database: Database, alert_id: str, status: str, *, by: str, note: str | None
) -> tuple[Attention, Alert | None]:
    with database.transaction() as work:
        alert = Alerts(work).lock(alert_id)
        if alert is None:
            return Attention.UNKNOWN, None
        if alert.status == status:
            return Attention.REPEATED, alert
        if alert.status == "resolved":
            return Attention.RESOLVED, alert
        Alerts(work).set_status(alert_id, status, by=by, note=note)
        _write_line(work, alert, status, by, note)
        return Attention.APPLIED, Alerts(work).find(alert_id)


def _write_line(work: UnitOfWork, alert: Alert, status: str, by: str, note: str | None) -> None:
    what = f"alert_{status}"
    detail: dict[str, object] = {"alert_id": alert.alert_id, "alert_type": alert.alert_type, "note": note}
    # An alert may name a task that was never accepted as an order; the order's audit log cannot hold its line.
    if alert.task_id is not None and Orders(work).find([alert.task_id]):
        line = Audit(task_id=alert.task_id, event_type=what, agent_id=by, action="alert", metadata=detail)
        Timeline(work).audit([line])
    else:
        SystemAudit(work).write(by, what, detail | {"task_id": alert.task_id})
