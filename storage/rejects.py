"""Input that was refused: kept whole with the reason, never dropped, until a person has dealt with it (SPEC.md §5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, text

from runtime.cipher import Cipher
from runtime.ids import Prefix, new_id
from runtime.mask import mask_json, mask_text
from schemas.effects import ProductEvent
from storage.bulk import BulkInsert
from storage.tables import rejects as rejects_table
from storage.timeline import Timeline

MOST_PROBLEMS: Final = 50
"""Problems that are kept of one input; whoever mends those sees the next."""

_LONGEST_TASK_ID: Final = 64

_INSERT = BulkInsert(rejects_table, ("reject_id", "source", "task_id", "payload", "problems"))
_FIELDS = (
    "reject_id, source, task_id, payload, problems, rejected_at, state, handled_at, handled_by, replayed_as"
)
_FIND = text(f"SELECT {_FIELDS} FROM rejects WHERE reject_id = :reject_id")
_LOCK = text(f"SELECT {_FIELDS} FROM rejects WHERE reject_id = :reject_id FOR UPDATE")
_LIST = text(
    f"""
    SELECT {_FIELDS} FROM rejects
    WHERE (CAST(:state AS text) IS NULL OR state = :state)
      AND (CAST(:source AS text) IS NULL OR source = :source)
      AND (CAST(:at AS timestamptz) IS NULL
           OR (rejected_at, reject_id) < (CAST(:at AS timestamptz), CAST(:name AS text)))
    ORDER BY rejected_at DESC, reject_id DESC LIMIT :limit
    """
)
_HANDLE = text(
    "UPDATE rejects SET state = :state, handled_at = clock_timestamp(), handled_by = :by, "
    f"replayed_as = :replayed_as WHERE reject_id = :reject_id RETURNING {_FIELDS}"
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
    """A refused input as kept; `payload` is the text that came, with any phone number in clear."""

    reject_id: str
    source: str
    task_id: str | None
    payload: str
    problems: Sequence[Mapping[str, Any]]
    rejected_at: datetime
    state: str
    """`open`, `replayed` or `dismissed`."""
    handled_at: datetime | None
    handled_by: str | None
    replayed_as: str | None
    """The task that was made of it."""


@dataclass(frozen=True, slots=True)
class Rejects:
    """The only code that writes `rejects`."""

    connection: Connection
    cipher: Cipher

    def keep(self, rejects: Sequence[NewReject]) -> None:
        """Keep these inputs with their problems, and tell who watches."""
        rows = []
        events = []
        for reject in rejects:
            reject_id = new_id(Prefix.REJECT)
            payload = self.cipher.encrypt(reject.payload, f"rejects.payload.{reject_id}")
            # A field of a refused input may be anything; what does not fit the column is still in the payload.
            task_id = mask_text(reject.task_id)[:_LONGEST_TASK_ID] if reject.task_id else None
            problems = [mask_json(problem) for problem in reject.problems[:MOST_PROBLEMS]]
            rows.append((reject_id, reject.source, task_id, payload, problems))
            events.append(_told(reject_id, task_id))
        _INSERT(self.connection, rows)
        Timeline(self.connection).tell(events)

    def find(self, reject_id: str) -> Reject | None:
        """The refused input with this id."""
        row = self.connection.execute(_FIND, {"reject_id": reject_id}).one_or_none()
        return None if row is None else self._reject(row)

    def lock(self, reject_id: str) -> Reject | None:
        """The refused input with this id, locked: two people cannot deal with it at once."""
        row = self.connection.execute(_LOCK, {"reject_id": reject_id}).one_or_none()
        return None if row is None else self._reject(row)

    def list(
        self,
        *,
        state: str | None = None,
        source: str | None = None,
        after: tuple[datetime, str] | None = None,
        limit: int = 100,
    ) -> list[Reject]:
        """Refused inputs, the newest first, from behind the place (`rejected_at`, `reject_id`) on."""
        at, name = after or (None, None)
        rows = self.connection.execute(
            _LIST, {"state": state, "source": source, "at": at, "name": name, "limit": limit}
        )
        return [self._reject(row) for row in rows]

    def mark_replayed(self, reject_id: str, task_id: str, *, by: str) -> Reject:
        """Write that this task was made of a locked reject; as it is now."""
        return self._handle(reject_id, "replayed", by, task_id)

    def mark_dismissed(self, reject_id: str, *, by: str) -> Reject:
        """Write that nothing will be made of a locked reject; as it is now."""
        return self._handle(reject_id, "dismissed", by, None)

    def recent(self, limit: int = 100) -> Sequence[Reject]:
        """The newest rejects."""
        return self.list(limit=limit)

    def _handle(self, reject_id: str, state: str, by: str, replayed_as: str | None) -> Reject:
        handled = {"reject_id": reject_id, "state": state, "by": by, "replayed_as": replayed_as}
        return self._reject(self.connection.execute(_HANDLE, handled).one())

    def _reject(self, row: Row[Any]) -> Reject:
        stored = bytes(row.payload)
        # Empty where it was erased, or its time was over.
        payload = self.cipher.decrypt(stored, f"rejects.payload.{row.reject_id}") if stored else ""
        return Reject(**{**row._mapping, "payload": payload})


def _told(reject_id: str, task_id: str | None) -> ProductEvent:
    return ProductEvent(
        execution_id=reject_id,
        task_id=task_id,
        event_type="task_rejected",
        stage="intake",
        title="任务数据无效, 已保留待更正",
        status="failed",
    )
