"""Attempts to reach customers: the intent is committed before anything leaves, under a key that is unique."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from schemas.effects import ContactNoted
from storage.bulk import BulkInsert, recordset, rows_of
from storage.tables import contact_logs as contact_logs_table

_STILL_OURS = text(
    "SELECT step_id FROM steps WHERE step_id = ANY(:ids) AND state = 'leased' AND lease_id = :lease_id "
    "ORDER BY step_id FOR SHARE",
)
_INTEND = BulkInsert(
    contact_logs_table,
    (
        "contact_id", "task_id", "contact_method", "contact_time", "key", "round", "contact_no", "step_id",
        "status", "script_id",
    ),
    on_conflict=" ",
    returning="key",
)  # fmt: skip
_FIELDS = (
    "contact_id, task_id, contact_method, contact_result, duration_seconds, transcript, recording_url, "
    "contact_time, key, round, contact_no, step_id, status, provider_id, created_at"
)
# A refused attempt is begun again: from here on it may have left, and a rescue must ask before it sends.
_BEGIN_AGAIN = text(
    "UPDATE contact_logs SET status = 'sending', created_at = clock_timestamp() "
    "WHERE key = ANY(:keys) AND status = 'refused'",
)
_BY_KEY = text(
    f"SELECT {_FIELDS}, extract(epoch FROM clock_timestamp() - created_at)::float AS age_seconds "
    "FROM contact_logs WHERE key = ANY(:keys)",
)
_BY_ID = text(
    f"SELECT {_FIELDS}, 0.0::float AS age_seconds FROM contact_logs WHERE contact_id = ANY(:ids)",
)
_LATEST = text(
    f"SELECT DISTINCT ON (task_id) {_FIELDS}, extract(epoch FROM clock_timestamp() - created_at)::float "
    "AS age_seconds FROM contact_logs "
    "WHERE task_id = ANY(:ids) ORDER BY task_id, round DESC, contact_no DESC",
)
_OF_TASK = text(
    f"SELECT {_FIELDS}, 0.0::float AS age_seconds FROM contact_logs WHERE task_id = :task_id "
    "ORDER BY round, contact_no",
)
_HISTORY = text(
    "SELECT task_id, contact_time, contact_method, contact_result FROM contact_logs "
    "WHERE task_id = ANY(:ids) AND status <> 'refused' ORDER BY task_id, round, contact_no",
)
# A concluded contact is not reopened, but for an answer that comes after a mere 'no answer' (SPEC.md §8).
_NOTED = (
    "contact_id", "status", "result", "provider_id", "transcript", "duration_seconds", "recording_url",
)  # fmt: skip
_NOTES = recordset(contact_logs_table, [column for column in _NOTED if column != "result"], result="text")
_NOTE = text(
    f"""
    UPDATE contact_logs SET
        status = CASE WHEN contact_logs.status = 'concluded' THEN 'concluded' ELSE c.status END,
        contact_result = coalesce(c.result, contact_logs.contact_result),
        provider_id = coalesce(c.provider_id, contact_logs.provider_id),
        transcript = coalesce(c.transcript, contact_logs.transcript),
        duration_seconds = coalesce(c.duration_seconds, contact_logs.duration_seconds),
        recording_url = coalesce(c.recording_url, contact_logs.recording_url),
        concluded_at = CASE WHEN c.status = 'concluded'
            THEN coalesce(contact_logs.concluded_at, (SELECT business_now())) END
    FROM {_NOTES}
    WHERE contact_logs.contact_id = c.contact_id
      AND (contact_logs.status <> 'concluded'
           OR (c.result = 'answered' AND contact_logs.contact_result <> 'answered'))
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewContact:
    """An attempt that is about to be made."""

    contact_id: str
    task_id: str
    method: str
    contact_time: datetime
    key: str
    round: int
    contact_no: int
    step_id: int
    script_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """An attempt as it stands; `age_seconds` is how long ago the intent to send was committed."""

    contact_id: str
    task_id: str
    contact_method: str
    contact_result: str
    duration_seconds: int | None
    transcript: str | None
    recording_url: str | None
    contact_time: datetime
    key: str
    round: int
    contact_no: int
    step_id: int
    status: str
    provider_id: str | None
    created_at: datetime
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Intended:
    """The committed intent of one attempt; `fresh` when this transaction wrote it, so nothing was sent yet."""

    contact: Contact
    fresh: bool


@dataclass(frozen=True, slots=True)
class PastContact:
    """What the contact policy must know of an earlier attempt."""

    at: datetime
    method: str
    result: str


@dataclass(frozen=True, slots=True)
class Contacts:
    """The only code that writes `contact_logs`."""

    connection: Connection

    def intend(self, contacts: Sequence[NewContact], lease_id: str) -> dict[int, Intended]:
        """Commit the intent to make these attempts, by step; a step that is no longer ours is not in the answer."""
        ours = {
            row.step_id
            for row in self.connection.execute(
                _STILL_OURS, {"ids": [c.step_id for c in contacts], "lease_id": lease_id}
            )
        }
        mine = [contact for contact in contacts if contact.step_id in ours]
        fresh = {str(row[0]) for row in _INTEND(self.connection, [_values(contact) for contact in mine])}
        self.connection.execute(_BEGIN_AGAIN, {"keys": [c.key for c in mine if c.key not in fresh]})
        found = {contact.key: contact for contact in self.by_keys([c.key for c in mine])}
        return {c.step_id: Intended(found[c.key], c.key in fresh) for c in mine}

    def by_keys(self, keys: Sequence[str]) -> list[Contact]:
        """The attempts with these keys."""
        return [Contact(**row._mapping) for row in self.connection.execute(_BY_KEY, {"keys": list(keys)})]

    def by_ids(self, contact_ids: Sequence[str]) -> dict[str, Contact]:
        """The attempts with these ids."""
        rows = self.connection.execute(_BY_ID, {"ids": list(contact_ids)})
        return {row.contact_id: Contact(**row._mapping) for row in rows}

    def latest(self, task_ids: Sequence[str]) -> dict[str, Contact]:
        """The last attempt of each order."""
        rows = self.connection.execute(_LATEST, {"ids": list(task_ids)})
        return {row.task_id: Contact(**row._mapping) for row in rows}

    def of_task(self, task_id: str) -> list[Contact]:
        """Every attempt of an order, oldest first."""
        return [Contact(**row._mapping) for row in self.connection.execute(_OF_TASK, {"task_id": task_id})]

    def history(self, task_ids: Sequence[str]) -> dict[str, list[PastContact]]:
        """What was attempted for each order, oldest first."""
        found: dict[str, list[PastContact]] = {task_id: [] for task_id in task_ids}
        for row in self.connection.execute(_HISTORY, {"ids": list(task_ids)}):
            found[row.task_id].append(PastContact(row.contact_time, row.contact_method, row.contact_result))
        return found

    def note(self, notes: Sequence[ContactNoted]) -> None:
        """Write what became known of attempts; a concluded one keeps what it says, a late answer aside."""
        if not notes:
            return
        # One statement changes a row once: what several notes say of a contact is put together first.
        merged: dict[str, tuple[object, ...]] = {}
        for note in notes:
            said = tuple(getattr(note, column) for column in _NOTED)
            known = merged.get(note.contact_id, said)
            merged[note.contact_id] = tuple(
                old if new is None else new for old, new in zip(known, said, strict=True)
            )
        self.connection.execute(_NOTE, rows_of(_NOTED, list(merged.values())))


def _values(contact: NewContact) -> tuple[object, ...]:
    return (
        contact.contact_id,
        contact.task_id,
        contact.method,
        contact.contact_time,
        contact.key,
        contact.round,
        contact.contact_no,
        contact.step_id,
        "sending",
        contact.script_id,
    )
