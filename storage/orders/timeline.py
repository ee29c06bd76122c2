"""An order's history: its audit log and its transitions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from schemas.orders.effects import Audit
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.orders.tables import audit_logs as audit_logs_table

_AUDIT = BulkInsert(
    audit_logs_table,
    ("log_id", "task_id", "event_type", "agent_id", "action", "metadata"),
    stamped="timestamp",
)
_TRANSITIONS_OF = text(
    "SELECT transition_id, version, from_state, event, to_state, agent_id, metadata, at FROM transitions "
    "WHERE task_id = :task_id ORDER BY version",
)
_AUDIT_OF = text(
    'SELECT log_id, event_type, agent_id, action, "timestamp", metadata FROM audit_logs '
    "WHERE task_id = :task_id ORDER BY position",
)
_STEPS_OF = text(
    "SELECT step_id, node, kind, queue, action, state, held, delivery, tries, crashes, due_at, due_clock, "
    "created_at, started_at, published_at, finished_at, error FROM steps WHERE run_id = :run_id ORDER BY step_id",
)


@dataclass(frozen=True, slots=True)
class Timeline(Repository):
    """Writes and reads what happened."""

    def audit(self, entries: Sequence[Audit]) -> None:
        """Append to the audit log."""
        _AUDIT(
            self.connection,
            [
                (new_id(Prefix.LOG), e.task_id, e.event_type, e.agent_id, e.action, e.metadata)
                for e in entries
            ],
        )

    def transitions(self, task_id: str) -> list[Mapping[str, Any]]:
        """Every transition of an order, in order."""
        return [dict(row._mapping) for row in self.connection.execute(_TRANSITIONS_OF, {"task_id": task_id})]

    def audit_of(self, task_id: str) -> list[Mapping[str, Any]]:
        """The audit log of an order, in order."""
        return [dict(row._mapping) for row in self.connection.execute(_AUDIT_OF, {"task_id": task_id})]

    def steps_of(self, run_id: str) -> list[Mapping[str, Any]]:
        """Every step of a run, in order."""
        return [dict(row._mapping) for row in self.connection.execute(_STEPS_OF, {"run_id": run_id})]
