"""Alerts: matters for an operator, and who handles them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from schemas.people.effects import AlertRaised
from storage.core.bulk import BulkInsert, dump_json
from storage.core.unit_of_work import Repository
from storage.outbound.notices import OF_ALERTS
from storage.people.tables import alerts as alerts_table

_CLASS: Final = 0x616C
"""The first half of these advisory locks; the other half is what an alert tells of."""

_INSERT = BulkInsert(
    alerts_table,
    ("alert_id", "alert_type", "task_id", "severity", "message", "escalated_to", "metadata"),
    stamped="raised_at",
    returning="alert_id, alert_type, task_id, severity, message, escalated_to",
    then=OF_ALERTS,
)
_OF_TASK = text(
    "SELECT alert_id, alert_type, severity, message, escalated_to, status, metadata, raised_at FROM alerts "
    "WHERE task_id = :task_id ORDER BY raised_at",
)
_FIELDS = (
    "alert_id, alert_type, task_id, severity, message, metadata, escalated_to, status, raised_at, "
    "handled_at, handled_by, note"
)
_FIND = text(f"SELECT {_FIELDS} FROM alerts WHERE alert_id = :alert_id")
_LOCK = text(f"SELECT {_FIELDS} FROM alerts WHERE alert_id = :alert_id FOR NO KEY UPDATE")
_WANTED: Final = """(CAST(:status AS text) IS NULL OR status = :status)
      AND (CAST(:alert_type AS text) IS NULL OR alert_type = :alert_type)
      AND (CAST(:severity AS text) IS NULL OR severity = :severity)
      AND (CAST(:task_id AS text) IS NULL OR task_id = :task_id)
      AND (CAST(:escalated_to AS text) IS NULL OR escalated_to = :escalated_to)"""
# Written out, so that the index of open alerts serves.
_OPEN: Final = "status <> 'resolved'"
_LIST, _LIST_OPEN = (
    text(
        f"""
    SELECT {_FIELDS} FROM alerts
    WHERE {condition}
      AND (CAST(:at AS timestamptz) IS NULL
           OR (raised_at, alert_id) < (CAST(:at AS timestamptz), CAST(:name AS text)))
    ORDER BY raised_at DESC, alert_id DESC LIMIT :limit
    """
    )
    for condition in (_WANTED, f"{_OPEN} AND {_WANTED}")
)
_COUNT, _COUNT_OPEN = (
    text(
        f"""
    SELECT alert_type, count(*) AS number, count(*) FILTER (WHERE status = 'pending_review') AS unseen,
        count(*) FILTER (WHERE severity = 'critical') AS critical, max(raised_at) AS last_raised_at
    FROM alerts WHERE {condition}
    GROUP BY alert_type
    ORDER BY bool_or(severity = 'critical') DESC, last_raised_at DESC, alert_type
    """
    )
    for condition in (_WANTED, f"{_OPEN} AND {_WANTED}")
)
# Two who find none would raise two; the lock ends with the transaction.
_LOCK_SAME = text("SELECT pg_advisory_xact_lock(:class, hashtext(:alert_type || ' ' || :source))")
_FRESH = text(
    f"""
    SELECT {_FIELDS} FROM alerts
    WHERE status = 'pending_review' AND alert_type = :alert_type AND metadata->>'source' = :source
      AND metadata->'raised_by' IS NULL
      AND raised_at > (SELECT business_now()) - interval '1 day'
    ORDER BY raised_at DESC LIMIT 1 FOR NO KEY UPDATE
    """
)
_UPDATE_MESSAGE = text(
    "UPDATE alerts SET message = :message, metadata = CAST(:metadata AS jsonb) WHERE alert_id = :alert_id"
)
# Handled means resolved: one that somebody has merely seen still counts among the active (storage/orders/figures.py).
_SET_STATUS = text(
    "UPDATE alerts SET status = CAST(:status AS text), handled_by = :by, note = coalesce(CAST(:note AS text), note), "
    "handled_at = CASE WHEN CAST(:status AS text) = 'resolved' THEN business_now() END WHERE alert_id = :alert_id"
)
_OPEN_OF_CHANNEL = text(
    "SELECT alert_id FROM alerts WHERE status <> 'resolved' AND alert_type = :alert_type "
    "AND metadata ->> 'channel' = :channel ORDER BY raised_at",
)
_HOLD = text("SELECT pg_advisory_xact_lock(:alerts, hashtext(:about))")
_ALERT_CLASS: Final = 0x616C7274
"""The first half of the advisory locks of alerts that are raised once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as it stands."""

    alert_id: str
    alert_type: str
    task_id: str | None
    severity: str
    message: str
    metadata: Mapping[str, Any]
    escalated_to: str
    status: str
    """`pending_review`, `acknowledged`, or `resolved`, which is final."""
    raised_at: datetime
    handled_at: datetime | None
    """When it was resolved, on the business clock."""
    handled_by: str | None
    """Who acknowledged it, later who resolved it."""
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertFilter:
    """Which alerts to list; what is `None` does not matter."""

    status: str | None = None
    alert_type: str | None = None
    severity: str | None = None
    task_id: str | None = None
    escalated_to: str | None = None
    is_open: bool = False
    """Only those that nobody resolved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCount:
    """How many alerts of one type there are among those that were asked for."""

    alert_type: str
    number: int
    unseen: int
    """Those that nobody acknowledged."""
    critical: int
    last_raised_at: datetime


@dataclass(frozen=True, slots=True)
class Alerts(Repository):
    """The only code that writes `alerts`."""

    def raise_all(self, alerts: Sequence[AlertRaised]) -> list[str]:
        """Raise these alerts; their ids."""
        ids = [new_id(Prefix.ALERT) for _ in alerts]
        _INSERT(
            self.connection,
            [
                (i, a.alert_type, a.task_id, a.severity, a.message, a.escalated_to, a.metadata)
                for i, a in zip(ids, alerts, strict=True)
            ],
        )
        return ids

    def fresh(self, alert_type: str, source: str) -> Alert | None:
        """Return and lock the fleet's unhandled alert of this kind and source of the last day.

        Whether there is one or not: nobody else raises one before this transaction ends, if they ask here too.
        """
        same = {"alert_type": alert_type, "source": source}
        self.connection.execute(_LOCK_SAME, {"class": _CLASS, **same})
        row = self.connection.execute(_FRESH, same).one_or_none()
        return None if row is None else Alert(**row._mapping)

    def update_message(self, alert_id: str, message: str, metadata: Mapping[str, object]) -> None:
        """Update the text of a locked alert, without a new notice."""
        self.connection.execute(
            _UPDATE_MESSAGE, {"alert_id": alert_id, "message": message, "metadata": dump_json(metadata)}
        )

    def of_task(self, task_id: str) -> list[Mapping[str, Any]]:
        """The alerts of an order, oldest first."""
        return [dict(row._mapping) for row in self.connection.execute(_OF_TASK, {"task_id": task_id})]

    def open_of(self, alert_type: str, channel: str) -> list[str]:
        """The alerts of this type about this channel that nobody resolved, oldest first."""
        wanted = {"alert_type": alert_type, "channel": channel}
        return list(self.connection.execute(_OPEN_OF_CHANNEL, wanted).scalars())

    def hold_open(self, alert_type: str, channel: str) -> list[str]:
        """The same, once nobody else is about to raise one; nobody raises one until the transaction ends."""
        self.connection.execute(_HOLD, {"alerts": _ALERT_CLASS, "about": f"{alert_type}.{channel}"})
        return self.open_of(alert_type, channel)

    def find(self, alert_id: str) -> Alert | None:
        """The alert with this id."""
        row = self.connection.execute(_FIND, {"alert_id": alert_id}).one_or_none()
        return None if row is None else Alert(**row._mapping)

    def lock(self, alert_id: str) -> Alert | None:
        """The alert with this id, locked."""
        row = self.connection.execute(_LOCK, {"alert_id": alert_id}).one_or_none()
        return None if row is None else Alert(**row._mapping)

    def list(
        self, wanted: AlertFilter, *, after: tuple[datetime, str] | None = None, limit: int = 100
    ) -> list[Alert]:
        """Alerts, the newest first, from behind the place (`raised_at`, `alert_id`) on."""
        at, name = after or (None, None)
        place = {"at": at, "name": name, "limit": limit}
        rows = self.connection.execute(_LIST_OPEN if wanted.is_open else _LIST, _values(wanted) | place)
        return [Alert(**row._mapping) for row in rows]

    def count_by_type(self, wanted: AlertFilter) -> Sequence[AlertCount]:
        """How many there are of each type; types with critical ones first, then the newest."""
        rows = self.connection.execute(_COUNT_OPEN if wanted.is_open else _COUNT, _values(wanted))
        return [AlertCount(**row._mapping) for row in rows]

    def set_status(self, alert_id: str, status: str, *, by: str, note: str | None) -> None:
        """Write what became of a locked alert; without a note the one it has stays."""
        self.connection.execute(_SET_STATUS, {"alert_id": alert_id, "status": status, "by": by, "note": note})


def _values(wanted: AlertFilter) -> dict[str, object]:
    return {
        "status": wanted.status,
        "alert_type": wanted.alert_type,
        "severity": wanted.severity,
        "task_id": wanted.task_id,
        "escalated_to": wanted.escalated_to,
    }
