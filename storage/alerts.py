"""Alerts: things a person should look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from runtime.ids import Prefix, new_id
from schemas.effects import AlertRaised
from storage.bulk import BulkInsert
from storage.tables import alerts as alerts_table

_INSERT = BulkInsert(
    alerts_table,
    ("alert_id", "alert_type", "task_id", "severity", "message", "escalated_to", "metadata"),
    stamped="raised_at",
)
_OF_TASK = text(
    "SELECT alert_id, alert_type, severity, message, escalated_to, status, metadata, raised_at FROM alerts "
    "WHERE task_id = :task_id ORDER BY raised_at",
)


@dataclass(frozen=True, slots=True)
class Alerts:
    """The only code that writes `alerts`."""

    connection: Connection

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

    def of_task(self, task_id: str) -> list[Mapping[str, Any]]:
        """The alerts of an order, oldest first."""
        return [dict(row._mapping) for row in self.connection.execute(_OF_TASK, {"task_id": task_id})]
