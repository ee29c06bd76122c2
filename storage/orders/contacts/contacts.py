"""Contacts with customers: the intent is committed, under a unique key, before anything is sent.

Beside them what customers said when they turned to us: *inbound* rows, which are no attempts. Gaps, caps, counts
and channels look at attempts alone. What customers said is encrypted, and opened only where it is asked for.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import text

from schemas.orders.effects import ContactNoted
from storage.core.bulk import BulkInsert, recordset, rows_of
from storage.core.unit_of_work import Repository
from storage.orders.contacts.contact import (
    Contact,
    InboundContact,
    Intended,
    NewContact,
    PastContact,
    contact_of,
    place_of,
    sealed,
)
from storage.orders.contacts.tables import contact_logs as contact_logs_table

_INTEND = BulkInsert(
    contact_logs_table,
    (
        "contact_id", "task_id", "contact_method", "contact_time", "key", "round", "contact_no", "step_id",
        "status", "script_id", "phone_index", "script_version",
    ),
    on_conflict=" ",
    returning="key",
)  # fmt: skip
_FIELDS = (
    "transcript, user_feedback, contact_id, task_id, contact_method, contact_result, duration_seconds, recording_url, "
    "contact_time, key, round, contact_no, step_id, status, provider_id, created_at, direction, script_id, "
    "script_version"
)
_WITH_AGE = f"{_FIELDS}, CAST(extract(epoch FROM clock_timestamp() - created_at) AS float)"
_WITHOUT_AGE = f"{_FIELDS}, CAST(0 AS float)"
# An attempt of which certainly nothing left is begun again: from here on it may have left, a rescue must ask before
# it sends, and what counts by number and day counts it now: at a position of its own, for at the former one it may
# have been counted already, as it was.
_BEGIN_AGAIN = text(
    "UPDATE contact_logs SET status = 'sending', created_at = clock_timestamp(), contact_time = a.contact_time, "
    "phone_index = a.phone_index, script_id = a.script_id, script_version = a.script_version, "
    "contact_method = a.contact_method, position = DEFAULT "
    "FROM unnest(CAST(:keys AS text[]), CAST(:times AS timestamptz[]), CAST(:numbers AS bytea[]), "
    "CAST(:scripts AS text[]), CAST(:versions AS text[]), CAST(:methods AS text[])) "
    "AS a(key, contact_time, phone_index, script_id, script_version, contact_method) "
    "WHERE contact_logs.key = a.key AND status IN ('refused', 'sending') RETURNING contact_logs.key",
)
_BY_KEY = text(
    f"SELECT {_WITH_AGE} FROM contact_logs WHERE key = ANY(:keys) AND direction = 'outbound'",
)
_BY_ID = text(
    f"SELECT {_WITHOUT_AGE} FROM contact_logs WHERE contact_id = ANY(:ids)",
)
_LATEST = text(
    f"SELECT DISTINCT ON (task_id) {_WITH_AGE} FROM contact_logs "
    "WHERE task_id = ANY(:ids) AND direction = 'outbound' ORDER BY task_id, round DESC, contact_no DESC",
)
_OF_TASK = text(
    f"SELECT {_WITHOUT_AGE} FROM contact_logs WHERE task_id = :task_id "
    "ORDER BY contact_time, created_at, contact_id",
)
_HISTORY = text(
    "SELECT task_id, contact_time, contact_method, contact_result FROM contact_logs "
    "WHERE task_id = ANY(:ids) AND status <> 'refused' AND direction = 'outbound' "
    "ORDER BY task_id, round, contact_no",
)
_INBOUND = text(
    f"SELECT {_WITHOUT_AGE} FROM contact_logs WHERE key = :key AND direction = 'inbound'",
)
_INBOUND_OF_ROUND = text(
    "SELECT count(*) FROM contact_logs WHERE task_id = :task_id AND round = :round AND direction = 'inbound'",
)
_INBOUND_OF_TASK = text(
    "SELECT count(*) FROM contact_logs WHERE task_id = :task_id AND direction = 'inbound'",
)
# Numbered downwards from -1, so that no number of an attempt is taken.
_HEAR = text(
    """
    INSERT INTO contact_logs (contact_id, task_id, contact_method, contact_result, transcript, contact_time, key,
        round, contact_no, step_id, status, concluded_at, direction)
    VALUES (:contact_id, CAST(:task_id AS varchar), :method, 'answered', :words, :contact_time, :key,
        CAST(:round AS smallint),
        (SELECT least(coalesce(min(contact_no), 0), 0) - 1 FROM contact_logs
         WHERE task_id = CAST(:task_id AS varchar) AND round = CAST(:round AS smallint)),
        0, 'concluded', business_now(), 'inbound')
    """,
)
# A concluded contact is not reopened, but for an answer that comes after a mere 'no answer' (SPEC.md §8).
_NOTED = (
    "contact_id", "status", "result", "provider_id", "transcript", "duration_seconds", "recording_url",
    "user_feedback", "begun_at",
)  # fmt: skip
_NOTES = recordset(
    contact_logs_table,
    [column for column in _NOTED if column not in ("result", "begun_at")],
    result="text",
    begun_at="timestamptz",
)


def _told(column: str) -> str:
    """What was told of an order whose customer was forgotten is not kept: the result and the time are."""
    erased = "EXISTS (SELECT FROM tasks t WHERE t.task_id = contact_logs.task_id AND t.erased_at IS NOT NULL)"
    return f"CASE WHEN c.{column} IS NULL OR {erased} THEN contact_logs.{column} ELSE c.{column} END"


_NOTE = text(
    f"""
    UPDATE contact_logs SET
        status = CASE WHEN contact_logs.status = 'concluded' THEN 'concluded' ELSE c.status END,
        contact_result = coalesce(c.result, contact_logs.contact_result),
        provider_id = coalesce(c.provider_id, contact_logs.provider_id),
        transcript = {_told("transcript")},
        duration_seconds = coalesce(c.duration_seconds, contact_logs.duration_seconds),
        recording_url = {_told("recording_url")},
        user_feedback = {_told("user_feedback")},
        concluded_at = CASE WHEN c.status = 'concluded'
            THEN coalesce(contact_logs.concluded_at, (SELECT business_now())) END
    FROM {_NOTES}
    WHERE contact_logs.contact_id = c.contact_id
      AND (contact_logs.status <> 'concluded' OR c.user_feedback IS NOT NULL
           OR (c.result = 'answered' AND contact_logs.contact_result <> 'answered'))
      AND (c.status <> 'refused' OR (contact_logs.status = 'sending' AND contact_logs.created_at = c.begun_at))
    """,
)


@dataclass(frozen=True, slots=True)
class Contacts(Repository):
    """The only code that writes `contact_logs`."""

    def intend(self, contacts: Sequence[NewContact]) -> dict[int, Intended]:
        """Commit the intent to make these attempts, by step; not in the answer: one that is known to have left.

        The steps are locked (see `lock_ours`).
        """
        if not contacts:
            return {}
        fresh = {str(row[0]) for row in _INTEND(self.connection, [_values(contact) for contact in contacts])}
        again = self._begin_again([contact for contact in contacts if contact.key not in fresh])
        begun = [contact for contact in contacts if contact.key in fresh | again]
        found = {contact.key: contact for contact in self.by_keys([c.key for c in begun])}
        return {c.step_id: Intended(found[c.key], c.key in fresh) for c in begun}

    def begun_outside(self, contact: NewContact) -> None:
        """Write the attempt that an outside agent made by itself; whoever does holds the lock of the order's run."""
        _INTEND(self.connection, [_values(contact, "sent")])

    def _begin_again(self, contacts: Sequence[NewContact]) -> set[str]:
        """The keys of those that could be begun again."""
        if not contacts:
            return set()
        again = {
            "keys": [contact.key for contact in contacts],
            "times": [contact.contact_time for contact in contacts],
            "numbers": [contact.phone_index for contact in contacts],
            "scripts": [contact.script_id for contact in contacts],
            "versions": [contact.script_version for contact in contacts],
            "methods": [contact.method for contact in contacts],
        }
        return {str(row.key) for row in self.connection.execute(_BEGIN_AGAIN, again)}

    def by_keys(self, keys: Sequence[str]) -> list[Contact]:
        """The attempts with these keys."""
        rows = self.connection.execute(_BY_KEY, {"keys": list(keys)}).all()
        return [contact_of(row, self.cipher) for row in rows]

    def by_ids(self, contact_ids: Sequence[str]) -> dict[str, Contact]:
        """The contacts with these ids, inbound ones included."""
        rows = self.connection.execute(_BY_ID, {"ids": list(contact_ids)}).all()
        return {row.contact_id: contact_of(row, self.cipher) for row in rows}

    def latest(self, task_ids: Sequence[str]) -> dict[str, Contact]:
        """The last attempt of each order."""
        rows = self.connection.execute(_LATEST, {"ids": list(task_ids)})
        return {row.task_id: contact_of(row, self.cipher) for row in rows}

    def of_task(self, task_id: str) -> list[Contact]:
        """Every contact of an order, inbound ones included, oldest first."""
        return [
            contact_of(row, self.cipher) for row in self.connection.execute(_OF_TASK, {"task_id": task_id})
        ]

    def history(self, task_ids: Sequence[str]) -> dict[str, list[PastContact]]:
        """What was attempted for each order, oldest first."""
        found: dict[str, list[PastContact]] = {task_id: [] for task_id in task_ids}
        for row in self.connection.execute(_HISTORY, {"ids": list(task_ids)}).all():
            found[row[0]].append(PastContact(*row[1:]))
        return found

    def add_inbound(self, contact: InboundContact) -> None:
        """Keep what a customer said who turned to us; whoever does holds the lock of the order's run."""
        words = self.cipher.seal_text(contact.words, place_of("transcript", contact.contact_id))
        self.connection.execute(_HEAR, asdict(contact) | {"words": words})

    def inbound(self, key: str) -> Contact | None:
        """The inbound contact with this key."""
        row = self.connection.execute(_INBOUND, {"key": key}).one_or_none()
        return None if row is None else contact_of(row, self.cipher)

    def inbound_in_round(self, task_id: str, round_number: int) -> int:
        """Return how often the customer contacted us in this round."""
        counted = self.connection.execute(_INBOUND_OF_ROUND, {"task_id": task_id, "round": round_number})
        return int(counted.scalar_one())

    def inbound_of_task(self, task_id: str) -> int:
        """Return how often the customer contacted us about this order."""
        return int(self.connection.execute(_INBOUND_OF_TASK, {"task_id": task_id}).scalar_one())

    def note(self, notes: Sequence[ContactNoted]) -> None:
        """Write the results of attempts; a concluded one keeps its result, except for a late answer."""
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
        self.connection.execute(
            _NOTE, rows_of(_NOTED, [sealed(_NOTED, row, self.cipher) for row in merged.values()])
        )


def _values(contact: NewContact, status: str = "sending") -> tuple[object, ...]:
    return (
        contact.contact_id,
        contact.task_id,
        contact.method,
        contact.contact_time,
        contact.key,
        contact.round,
        contact.contact_no,
        contact.step_id,
        status,
        contact.script_id,
        contact.phone_index,
        contact.script_version,
    )
