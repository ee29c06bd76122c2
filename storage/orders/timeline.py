"""What is appended to an order's history: audit lines, and the events people watch."""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.ids import Prefix, new_id
from schemas.orders.effects import Audit, ProductEvent
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.orders.tables import audit_logs as audit_logs_table
from storage.outbound.tables import events as events_table

_AUDIT = BulkInsert(
    audit_logs_table,
    ("log_id", "task_id", "event_type", "agent_id", "action", "metadata"),
    stamped="timestamp",
)
_EVENTS = BulkInsert(
    events_table,
    ("event_type", "task_id", "execution_id", "stage", "title", "status", "artifact_ref"),
    stamped="at",
)


@dataclass(frozen=True, slots=True)
class Timeline(Repository):
    """Writes what happened."""

    def audit(self, entries: Sequence[Audit]) -> None:
        """Append to the audit log."""
        _AUDIT(
            self.connection,
            [
                (new_id(Prefix.LOG), e.task_id, e.event_type, e.agent_id, e.action, e.metadata)
                for e in entries
            ],
        )

    def tell(self, events: Sequence[ProductEvent]) -> None:
        """Append to the events people watch."""
        _EVENTS(
            self.connection,
            [
                (e.event_type, e.task_id, e.execution_id, e.stage, e.title, e.status, e.artifact_ref)
                for e in events
            ],
        )
