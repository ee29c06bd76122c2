"""Rejects: refused input, stored whole with the reason until a person has handled it (SPEC.md §5)."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text

from runtime.ids import Prefix, new_id
from runtime.mask import mask_json
from runtime.names import shown_id
from schemas.outbound.effects import ProductEvent
from schemas.outbound.product_events import ProductEventType
from storage.core.bulk import recordset, rows_of
from storage.core.unit_of_work import Repository
from storage.outbound.events import Events
from storage.people.tables import rejects as rejects_table

MOST_PROBLEMS: Final = 50
"""Problems that are kept of one input; whoever mends those sees the next."""

_LONGEST_ID: Final = 64

_KEPT: Final = ("reject_id", "source", "task_id", "order_id", "problems", "envelope", "times")
_BYTES: Final = ("digest", "payload")
_GIVEN: Final = (*_KEPT, *_BYTES)
# One that waits already is counted once more: a producer that sends again and again fills no list.
_KEEP = text(
    f"""
    INSERT INTO rejects ({", ".join(_GIVEN)})
    SELECT {", ".join(f"c.{column}" for column in _KEPT)},
        {", ".join(f"decode(c.{column}, 'hex')" for column in _BYTES)}
    FROM {recordset(rejects_table, _GIVEN)}
    ON CONFLICT (digest) WHERE state = 'open' AND payload <> '' DO UPDATE
    SET times = rejects.times + excluded.times, last_at = clock_timestamp(), problems = excluded.problems
    RETURNING reject_id
    """
)
_KNOWN = text(
    "SELECT subject_id AS id FROM runs WHERE subject_id = ANY(:ids) "
    "UNION SELECT run_id FROM runs WHERE run_id = ANY(:ids)"
)
_FIELDS = (
    "reject_id, source, task_id, order_id, payload, problems, envelope, times, rejected_at, last_at, state, "
    "handled_at, handled_by, replayed_as"
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
class Envelope:
    """The circumstances of an input that are not in its body; a replay uses them again."""

    created_by: str | None = None
    default_mode: str = "auto"
    timeout_seconds: int | None = None
    description: str | None = None
    """As it may be shown, phone numbers masked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewReject:
    """Something that came in and could not be accepted; encrypted at rest, as it may hold a phone number."""

    source: str
    task_id: str | None
    payload: str
    problems: Sequence[Mapping[str, object]]
    order_id: str | None = None
    envelope: Envelope = Envelope()
    trace_id: str | None = None
    """Of the request that it came with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A refused input as kept; `payload` is the text that came, with any phone number in clear."""

    reject_id: str
    source: str
    task_id: str | None
    order_id: str | None
    payload: str
    problems: Sequence[Mapping[str, Any]]
    envelope: Envelope
    times: int
    """How often it came while it waited."""
    rejected_at: datetime
    last_at: datetime
    """When it last came."""
    state: str
    """`open`, `replayed` or `dismissed`."""
    handled_at: datetime | None
    handled_by: str | None
    """Who, as they say."""
    replayed_as: str | None
    """The task that was made of it."""


@dataclass(frozen=True, slots=True)
class Rejects(Repository):
    """The only code that writes `rejects`."""

    def keep(self, rejects: Sequence[NewReject]) -> int:
        """Keep these inputs with their problems, with an event for each new one; one that waits already is counted.

        Returns:
            How many were not waiting already.
        """
        if not rejects:
            return 0
        marks = [self._mark(reject) for reject in rejects]
        times, latest = Counter(marks), dict(zip(marks, rejects, strict=True))
        known = self._known({reject.task_id for reject in rejects if reject.task_id})
        # In one order everywhere, so that two who keep the same wait for each other and never deadlock.
        rows = {
            new_id(Prefix.REJECT): (mark, latest[mark], _shown(latest[mark].task_id, known))
            for mark in sorted(times)
        }
        kept = self.connection.execute(
            _KEEP,
            rows_of(
                _GIVEN,
                [
                    (
                        reject_id,
                        reject.source,
                        task_id,
                        _shown(reject.order_id),
                        [mask_json(problem) for problem in reject.problems[:MOST_PROBLEMS]],
                        asdict(reject.envelope),
                        times[mark],
                        mark,
                        self.cipher.encrypt(reject.payload, f"rejects.payload.{reject_id}"),
                    )
                    for reject_id, (mark, reject, task_id) in rows.items()
                ],
            ),
        )
        new = [row.reject_id for row in kept if row.reject_id in rows]
        Events(self.work).append(
            [_refused(reject_id, rows[reject_id][2], rows[reject_id][1].trace_id) for reject_id in new]
        )
        return len(new)

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

    def _mark(self, reject: NewReject) -> bytes:
        """What tells this input from another; under the cipher's key, for the payload may hold a number.

        After that key has changed, what waits and comes again is kept once more.
        """
        meaning = (reject.source, reject.task_id, reject.payload, asdict(reject.envelope))
        return self.cipher.keyed(hashlib.sha256(json.dumps(meaning, sort_keys=True).encode()).digest())

    def _known(self, task_ids: Collection[str]) -> Collection[str]:
        """Those of these ids that would be masked and are names of tasks all the same."""
        doubtful = [task_id for task_id in task_ids if shown_id(task_id) != task_id]
        if not doubtful:
            return ()
        return frozenset(self.connection.execute(_KNOWN, {"ids": doubtful}).scalars())

    def _handle(self, reject_id: str, state: str, by: str, replayed_as: str | None) -> Reject:
        handled = {
            "reject_id": reject_id,
            "state": state,
            "by": by,
            "replayed_as": replayed_as,
        }
        return self._reject(self.connection.execute(_HANDLE, handled).one())

    def _reject(self, row: Row[Any]) -> Reject:
        stored = bytes(row.payload)
        # Empty where it was erased, or its time was over.
        payload = self.cipher.decrypt(stored, f"rejects.payload.{row.reject_id}") if stored else ""
        return Reject(**{**row._mapping, "payload": payload, "envelope": Envelope(**(row.envelope or {}))})


def _shown(name: str | None, known: Collection[str] = ()) -> str | None:
    """How a refused input calls something may be anything; what does not fit the column is still in the payload."""
    if not name:
        return None
    return (name if name in known else shown_id(name))[:_LONGEST_ID]


def _refused(reject_id: str, task_id: str | None, trace_id: str | None) -> ProductEvent:
    return ProductEvent(
        execution_id=reject_id,
        task_id=task_id,
        event_type=ProductEventType.TASK_REJECTED.value,
        stage=ProductEventType.TASK_REJECTED.stage.value,
        title=ProductEventType.TASK_REJECTED.value,
        status="failed",
        trace_id=trace_id,
    )
