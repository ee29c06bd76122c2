"""Input that was refused: kept whole with the reason, never dropped (SPEC.md §5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from runtime.cipher import Cipher
from runtime.ids import Prefix, new_id
from storage.bulk import BulkInsert
from storage.tables import rejects as rejects_table

_INSERT = BulkInsert(rejects_table, ("reject_id", "source", "task_id", "payload", "problems"))
_LIST = text(
    "SELECT reject_id, source, task_id, payload, problems, rejected_at FROM rejects "
    "ORDER BY rejected_at DESC LIMIT :limit",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReject:
    """Something that came in and could not be accepted; encrypted at rest, as it may hold a phone number."""

    source: str
    task_id: str | None
    payload: str
    problems: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A refused input as kept."""

    reject_id: str
    source: str
    task_id: str | None
    payload: str
    problems: Sequence[Mapping[str, Any]]
    rejected_at: datetime


@dataclass(frozen=True, slots=True)
class Rejects:
    """The only code that writes `rejects`."""

    connection: Connection
    cipher: Cipher

    def keep(self, rejects: Sequence[NewReject]) -> None:
        """Keep these inputs with their problems."""
        rows = []
        for reject in rejects:
            reject_id = new_id(Prefix.REJECT)
            payload = self.cipher.encrypt(reject.payload, f"rejects.payload.{reject_id}")
            # A field of a refused input may be anything; what does not fit the column is still in the payload.
            task_id = reject.task_id[:64] if reject.task_id else None
            rows.append((reject_id, reject.source, task_id, payload, list(reject.problems)))
        _INSERT(self.connection, rows)

    def recent(self, limit: int = 100) -> list[Reject]:
        """The newest rejects."""
        return [
            Reject(
                reject_id=row.reject_id,
                source=row.source,
                task_id=row.task_id,
                payload=self.cipher.decrypt(bytes(row.payload), f"rejects.payload.{row.reject_id}"),
                problems=row.problems,
                rejected_at=row.rejected_at,
            )
            for row in self.connection.execute(_LIST, {"limit": limit})
        ]
