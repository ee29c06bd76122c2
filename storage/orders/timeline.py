"""What is appended to an order's history: its audit lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.ids import Prefix, new_id
from runtime.principal import marks_of_principal
from schemas.orders.effects import Audit
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.orders.tables import AUDIT_LOGS
from storage.orders.tables import audit_logs as audit_logs_table

_AUDIT = BulkInsert(
    audit_logs_table,
    ("log_id", "task_id", "event_type", "agent_id", "action", "metadata", "key_id", "label"),
    stamped="timestamp",
    computed={"salt": AUDIT_LOGS.salt},
)


@dataclass(frozen=True, slots=True)
class Timeline(Repository):
    """Writes what happened."""

    def audit(self, entries: Sequence[Audit]) -> None:
        """Append to the audit log, on behalf of whoever this is done for."""
        key_id, label = marks_of_principal()
        _AUDIT(
            self.connection,
            [
                (new_id(Prefix.LOG), e.task_id, e.event_type, e.agent_id, e.action, e.metadata, key_id, label)
                for e in entries
            ],
        )
