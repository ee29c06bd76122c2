"""The audit log as outside agents write it and people read it; what steps write goes through `timeline`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from runtime.ids import Prefix, new_id
from runtime.principal import marks_of_principal
from schemas.orders.effects import Audit
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository
from storage.orders.tables import RARE, USUAL

_WRITE = text(
    'INSERT INTO audit_logs (log_id, task_id, event_type, agent_id, action, "timestamp", metadata, key_id, label) '
    "VALUES (:log_id, :task_id, :event_type, :agent_id, :action, "
    "coalesce(CAST(:at AS timestamptz), business_now()), CAST(:metadata AS jsonb), :key_id, :label)",
)
_FILTERS: Final = {
    "task_id": "task_id = :task_id",
    "event_type": "event_type = :event_type",
    "agent_id": "agent_id = :agent_id",
    "action": "action = :action",
    "since": '"timestamp" >= :since',
    "until": '"timestamp" < :until',
}


@dataclass(frozen=True, slots=True)
class AuditPlace:
    """Where a line stands in the log: lines of one moment in the order they were written."""

    at: datetime
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """A line as it stands."""

    log_id: str
    task_id: str
    event_type: str
    agent_id: str
    action: str | None
    at: datetime
    created_at: datetime
    """When it was written, on the database's clock."""
    key_id: str | None
    """Of the key it was done with; `None` for what the fleet did by itself."""
    label: str | None
    """The name that the key's user gave beside it."""
    metadata: dict[str, Any]
    place: AuditPlace


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which lines are looked for; what is `None` does not matter. `since` is within, `until` is not."""

    task_id: str | None = None
    event_type: str | None = None
    agent_id: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def chosen(self) -> dict[str, object]:
        """What matters, by name."""
        values = {name: getattr(self, name) for name in _FILTERS}
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class AuditLogs(Repository):
    """Writes single lines that are answered by their id, and finds lines."""

    def write(self, line: Audit, *, at: datetime | None) -> str:
        """Append a line; its id. `at` is when it happened, now on the business clock when not given."""
        log_id = new_id(Prefix.LOG)
        key_id, label = marks_of_principal()
        self.connection.execute(
            _WRITE,
            {
                "log_id": log_id,
                "task_id": line.task_id,
                "event_type": line.event_type,
                "agent_id": line.agent_id,
                "action": line.action,
                "at": at,
                "metadata": dump_json(line.metadata),
                "key_id": key_id,
                "label": label,
            },
        )
        return log_id

    def find(self, wanted: AuditFilter, *, before: AuditPlace | None, limit: int) -> Sequence[AuditLine]:
        """Lines newest first; those before a place of an earlier answer."""
        chosen = wanted.chosen()
        conditions = [
            f"{RARE[name]} = :{name}" if value not in USUAL.get(name, (value,)) else _FILTERS[name]
            for name, value in chosen.items()
        ]
        if before is not None:
            conditions.append('("timestamp", position) < (:at, :position)')
            chosen |= {"at": before.at, "position": before.position}
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        rows = self.connection.execute(
            text(
                'SELECT log_id, task_id, event_type, agent_id, action, "timestamp" AS at, created_at, key_id, label, '
                "metadata, position "
                f'FROM audit_logs {where}ORDER BY "timestamp" DESC, position DESC LIMIT :limit',
            ),
            chosen | {"limit": limit},
        )
        return [
            AuditLine(
                log_id=row.log_id,
                task_id=row.task_id,
                event_type=row.event_type,
                agent_id=row.agent_id,
                action=row.action,
                at=row.at,
                created_at=row.created_at,
                key_id=row.key_id,
                label=row.label,
                metadata=row.metadata,
                place=AuditPlace(row.at, row.position),
            )
            for row in rows
        ]
