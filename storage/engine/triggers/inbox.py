"""The inbox: what has come or happened and is to begin runs and to reach who waits for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text

from runtime.trace import new_trace_id
from statemachine.workflow.options.sizes import LARGEST_OUTPUT, ROOM_AROUND
from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import InboxState
from storage.core.bulk import dump_json, recordset, rows_of
from storage.core.unit_of_work import Repository
from storage.engine.states import INBOX_KEPT, INBOX_WAITING
from storage.engine.triggers.trigger_tables import inbox as inbox_table

KEPT_SECONDS: Final = 3600
"""How long a message waits for its receiver where its sender does not say."""

_GIVEN: Final = (
    "nth",
    "kind",
    "name",
    "key",
    "payload",
    "source_id",
    "depth",
    "sent_by",
    "trace_id",
    "occurred_at",
    "ttl",
)
_COLUMNS: Final = ("kind", "name", "key", "payload", "source_id", "depth", "sent_by", "trace_id")
_ROWS: Final = recordset(
    inbox_table, _COLUMNS, nth="integer", ttl="double precision", occurred_at="timestamptz"
)
# In their order: entries are dispatched by their ids.
_ADD = text(
    f"""
    INSERT INTO inbox ({", ".join(_COLUMNS)}, occurred_at, expires_at)
    SELECT {", ".join(_COLUMNS)}, coalesce(occurred_at, clock_timestamp()),
        clock_timestamp() + make_interval(secs => ttl)
    FROM {_ROWS} ORDER BY nth
    ON CONFLICT (kind, name, source_id) WHERE source_id IS NOT NULL DO NOTHING
    RETURNING entry_id, kind, name, source_id
    """
)
_FIND_SOURCES = text(
    f"SELECT i.entry_id, i.kind, i.name, i.source_id FROM inbox i "
    f"JOIN {recordset(inbox_table, ('kind', 'name', 'source_id'))} USING (kind, name, source_id)"
)
_FIELDS: Final = (
    "entry_id, kind, name, key, payload, source_id, depth, sent_by, trace_id, occurred_at, received_at, state, "
    "outcome"
)
_TO_DISPATCH = text(
    f"SELECT entry_id FROM inbox WHERE state = {INBOX_WAITING} ORDER BY entry_id LIMIT :limit"
)
_LOCK: Final = f"SELECT {_FIELDS} FROM inbox WHERE entry_id = ANY(:ids) ORDER BY entry_id FOR UPDATE"
_LOCK_FREE = text(f"{_LOCK} SKIP LOCKED")
_LOCK_ALL = text(_LOCK)
_FIND = text(f"SELECT {_FIELDS} FROM inbox WHERE entry_id = ANY(:ids)")
_END = text(
    f"""
    UPDATE inbox SET state = c.to_state, outcome = c.result,
        payload = CASE WHEN c.to_state = {INBOX_KEPT} THEN inbox.payload END,
        ended_at = CASE WHEN c.to_state <> {INBOX_KEPT} THEN clock_timestamp() END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS c(entry_id bigint, to_state text, result jsonb)
    WHERE inbox.entry_id = c.entry_id
    """
)


class PayloadTooLarge(ValueError):
    """An entry carries more than an inbox takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInboxEntry:
    """Something that has come or happened."""

    kind: TriggerKind
    name: str
    """Of the event, message or signal; the path of the webhook; the workflow of the run that has ended."""
    key: str = ""
    """Of a message: which of those that wait for its name it is for."""
    payload: object = field(default_factory=dict)
    """JSON."""
    source_id: str | None = None
    """The same once more, under the same kind and name, is no new entry."""
    depth: int = 0
    """One more than that of the run it comes from; 0 for what comes from outside."""
    sent_by: str | None = None
    trace_id: str = field(default_factory=new_trace_id)
    """Of the request it comes with, or of the run that sent it."""
    occurred_at: datetime | None = None
    ttl_seconds: float | None = None
    """Of a message: how long it is kept for its receiver."""


@dataclass(frozen=True, slots=True)
class Added:
    """An entry that is in."""

    entry_id: int
    repeated: bool
    """It was there before; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchResult:
    """What came of an entry."""

    runs: tuple[str, ...] = ()
    receivers: int = 0
    """How many waits it reached."""
    refused: int = 0
    """Runs that could not be begun with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEntry:
    """An entry as it stands."""

    entry_id: int
    kind: TriggerKind
    name: str
    key: str
    payload: Any
    source_id: str | None
    depth: int
    sent_by: str | None
    trace_id: str
    occurred_at: datetime
    received_at: datetime
    state: InboxState
    result: DispatchResult


@dataclass(frozen=True, slots=True)
class Inbox(Repository):
    """The only code that reads or writes `inbox`."""

    def add(self, entries: Sequence[NewInboxEntry]) -> list[Added]:
        """Keep these entries until they are dispatched; one for each, in their order.

        Raises:
            PayloadTooLarge: one carries more than `LARGEST_OUTPUT`; nothing is kept.
        """
        if not entries:
            return []
        rows = [(nth, *_row(entry)) for nth, entry in enumerate(entries)]
        written = self.connection.execute(_ADD, rows_of(_GIVEN, rows)).all()
        new = {(row.kind, row.name, row.source_id): row.entry_id for row in written if row.source_id}
        unnamed = iter(sorted(row.entry_id for row in written if row.source_id is None))
        before = self._of_sources([key for entry in entries if (key := _source(entry)) and key not in new])
        added: list[Added] = []
        seen: set[tuple[str, str, str]] = set()
        for entry in entries:
            source = _source(entry)
            if source is None:
                added.append(Added(next(unnamed), repeated=False))
                continue
            added.append(
                Added(new.get(source) or before[source], repeated=source not in new or source in seen)
            )
            seen.add(source)
        return added

    def to_dispatch(self, limit: int) -> list[int]:
        """The entries that wait to be dispatched, the oldest first."""
        return list(self.connection.execute(_TO_DISPATCH, {"limit": limit}).scalars())

    def lock(self, entry_ids: Sequence[int], *, wait: bool) -> list[InboxEntry]:
        """Lock these entries in their order; those that others hold are waited for, or left out."""
        statement = _LOCK_ALL if wait else _LOCK_FREE
        return [_entry(row) for row in self.connection.execute(statement, {"ids": list(entry_ids)})]

    def find(self, entry_ids: Sequence[int]) -> dict[int, InboxEntry]:
        """These entries as they stand, by their ids."""
        found = map(_entry, self.connection.execute(_FIND, {"ids": list(entry_ids)}))
        return {entry.entry_id: entry for entry in found}

    def end(self, results: Mapping[int, tuple[InboxState, DispatchResult]]) -> None:
        """Write what came of locked entries; what is not kept for a receiver loses its payload."""
        if not results:
            return
        rows = [
            {
                "entry_id": entry_id,
                "to_state": state.value,
                "result": {"runs": result.runs, "receivers": result.receivers, "refused": result.refused},
            }
            for entry_id, (state, result) in results.items()
        ]
        self.connection.execute(_END, {"rows": dump_json(rows)})

    def _of_sources(self, sources: Sequence[tuple[str, str, str]]) -> dict[tuple[str, str, str], int]:
        if not sources:
            return {}
        rows = self.connection.execute(_FIND_SOURCES, rows_of(("kind", "name", "source_id"), sources))
        return {(row.kind, row.name, row.source_id): row.entry_id for row in rows}


def _source(entry: NewInboxEntry) -> tuple[str, str, str] | None:
    return None if entry.source_id is None else (entry.kind.value, entry.name, entry.source_id)


def _row(entry: NewInboxEntry) -> tuple[object, ...]:
    size = len(dump_json(entry.payload).encode())
    # What a run came to was measured, and its name and state are around it.
    if size > LARGEST_OUTPUT + (ROOM_AROUND if entry.kind is TriggerKind.RUN_ENDED else 0):
        raise PayloadTooLarge(f"'{entry.name}' carries {size} bytes of JSON; {LARGEST_OUTPUT} are taken")
    ttl = (entry.ttl_seconds or KEPT_SECONDS) if entry.kind is TriggerKind.MESSAGE else None
    return (
        entry.kind.value,
        entry.name,
        entry.key,
        entry.payload,
        entry.source_id,
        entry.depth,
        entry.sent_by,
        entry.trace_id,
        entry.occurred_at,
        ttl,
    )


def _entry(row: Row[Any]) -> InboxEntry:
    outcome = row.outcome or {}
    return InboxEntry(
        entry_id=row.entry_id,
        kind=TriggerKind(row.kind),
        name=row.name,
        key=row.key,
        payload=row.payload,
        source_id=row.source_id,
        depth=row.depth,
        sent_by=row.sent_by,
        trace_id=row.trace_id,
        occurred_at=row.occurred_at,
        received_at=row.received_at,
        state=InboxState(row.state),
        result=DispatchResult(
            runs=tuple(outcome.get("runs", ())),
            receivers=outcome.get("receivers", 0),
            refused=outcome.get("refused", 0),
        ),
    )
