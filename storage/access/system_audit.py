"""The audit log of the installation: who did what that belongs to no task."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from runtime.principal import marks_of_principal
from storage.core.bulk import dump_json
from storage.core.unit_of_work import Repository

_WRITE = text(
    "INSERT INTO system_audit (actor, what, detail, key_id, label) "
    "VALUES (:actor, :what, CAST(:detail AS jsonb), :key_id, :label)",
)
_RECENT = text(
    "SELECT entry_id, actor, what, detail, key_id, label, at FROM system_audit "
    "WHERE (CAST(:what AS text) IS NULL OR what = :what) ORDER BY entry_id DESC LIMIT :limit",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemAuditEntry:
    """One entry of the installation's audit log."""

    entry_id: int
    actor: str
    what: str
    detail: Mapping[str, Any]
    key_id: str | None
    """Of the key it was done with; `None` for what the fleet did by itself."""
    label: str | None
    """The name that the key's user gave beside it."""
    at: datetime


@dataclass(frozen=True, slots=True)
class SystemAudit(Repository):
    """The only code that writes `system_audit`."""

    def write(self, actor: str, what: str, detail: Mapping[str, object]) -> None:
        """Append an entry; `detail` never holds a secret."""
        key_id, label = marks_of_principal()
        self.connection.execute(
            _WRITE,
            {"actor": actor, "what": what, "detail": dump_json(detail), "key_id": key_id, "label": label},
        )

    def recent(self, *, what: str | None = None, limit: int = 100) -> list[SystemAuditEntry]:
        """Return entries, the newest first; of one kind when named."""
        rows = self.connection.execute(_RECENT, {"what": what, "limit": limit})
        return [SystemAuditEntry(**row._mapping) for row in rows]
