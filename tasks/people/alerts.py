"""Handles alerts: acknowledge and resolve, each with an audit line."""

from enum import StrEnum

from schemas.orders.effects import Audit
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.orders.orders import Orders
from storage.orders.timeline import Timeline
from storage.people.alerts import Alert, Alerts


class Attention(StrEnum):
    """The result of handling an alert."""

    APPLIED = "applied"
    REPEATED = "repeated"
    """It was so before; who did it then, and what they noted, stays."""
    RESOLVED = "resolved"
    """It is resolved, which is final; nothing was changed."""
    UNKNOWN = "unknown"


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
