"""Everything the provider received and did, in one SQLite file that survives a kill."""

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from fleet.simulator.contact import ContactEvent, SimulatedContact, events_of
from fleet.simulator.faults import Faults

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS keys (
    key TEXT PRIMARY KEY,
    requests INTEGER NOT NULL,
    reached INTEGER NOT NULL DEFAULT 0,
    callbacks_delivered INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS contacts (
    key TEXT PRIMARY KEY,
    provider_id TEXT NOT NULL,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    callback_url TEXT NOT NULL,
    faults TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    occurs_at REAL NOT NULL,
    calls_back_at REAL,
    body TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    delivered INTEGER NOT NULL DEFAULT 0,
    open INTEGER NOT NULL,
    PRIMARY KEY (key, sequence)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_open ON events (calls_back_at) WHERE open = 1;
"""
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class RequestReceived:
    """The contact is accepted, now or before (`duplicate`); a new one comes with its `callbacks`."""

    provider_id: str
    duplicate: bool
    callbacks: tuple["OwedCallback", ...]


@dataclass(frozen=True, slots=True)
class RequestRefused:
    """A fault refuses the request; nothing is sent."""

    status: int
    retry_after_seconds: int


@dataclass(frozen=True, slots=True)
class RequestConflicts:
    """The key was used for another recipient or channel."""


@dataclass(frozen=True, slots=True)
class KeyCount:
    """How often a key was requested, how often a customer was reached for it, and how often that was called back."""

    key: str
    requests: int
    reached: int
    callbacks_delivered: int


ReceiveOutcome = RequestReceived | RequestRefused | RequestConflicts


@dataclass(frozen=True, slots=True)
class OwedCallback:
    """A report that is still to be sent, with what is needed to send it."""

    key: str
    sequence: int
    url: str
    body: bytes
    due_at: float
    attempts: int
    delivered: int
    faults: Faults


class ProviderLedger:
    """The open file. Its methods are meant to run within `transact`, one thread at a time."""

    def __init__(self, path: Path) -> None:
        path.touch(mode=0o600)
        self._connection = sqlite3.connect(path, isolation_level=None)
        # NORMAL hands a commit to the operating system before it returns: it outlives the process, which is
        # all that a simulator needs, though not a power failure.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)

    def transact(self, work: Callable[[], _Answer]) -> _Answer:
        """Run the work in one transaction, committed when this returns.

        Raises:
            sqlite3.Error: Nothing of the work is kept.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        # As a context the connection commits what was begun, or takes it back when the work fails.
        with self._connection:
            return work()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def receive(self, contact: SimulatedContact, now: float) -> ReceiveOutcome:
        """Count the request, and create the contact unless it is refused or exists."""
        execute = self._connection.execute
        (requests,) = execute(
            "INSERT INTO keys (key, requests) VALUES (?, 1)"
            " ON CONFLICT (key) DO UPDATE SET requests = requests + 1 RETURNING requests",
            (contact.key,),
        ).fetchone()
        made = execute(
            "SELECT provider_id, channel, recipient FROM contacts WHERE key = ?", (contact.key,)
        ).fetchone()
        if made is not None:
            if made[1:] != (contact.channel.value, contact.recipient):
                return RequestConflicts()
            return RequestReceived(made[0], duplicate=True, callbacks=())
        faults = contact.faults
        if faults.status is not None and requests <= faults.status_times:
            return RequestRefused(faults.status, faults.retry_after_seconds)
        return self._make(contact, now)

    def _make(self, contact: SimulatedContact, now: float) -> RequestReceived:
        faults = contact.faults
        self._connection.execute(
            "INSERT INTO contacts VALUES (?, ?, ?, ?, ?, ?)",
            (
                contact.key,
                contact.provider_id,
                contact.channel.value,
                contact.recipient,
                contact.callback_url,
                json.dumps(faults.record()),
            ),
        )
        self._connection.execute("UPDATE keys SET reached = reached + 1 WHERE key = ?", (contact.key,))
        events = events_of(contact, now)
        self._connection.executemany(
            "INSERT INTO events (key, sequence, event_id, occurs_at, calls_back_at, body, open)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [_event_row(contact.key, event) for event in events],
        )
        return RequestReceived(
            contact.provider_id,
            duplicate=False,
            callbacks=tuple(
                OwedCallback(
                    key=contact.key,
                    sequence=event.sequence,
                    url=contact.callback_url,
                    body=event.body.encode(),
                    due_at=event.calls_back_at,
                    attempts=0,
                    delivered=0,
                    faults=faults,
                )
                for event in events
                if event.calls_back_at is not None
            ),
        )

    def called_back(self, callback: OwedCallback, *, delivered: bool, still_open: bool) -> None:
        """Record one try of a callback, and whether more follow."""
        self._connection.execute(
            "UPDATE events SET attempts = attempts + 1, delivered = delivered + ?, open = ?"
            " WHERE key = ? AND sequence = ?",
            (int(delivered), int(still_open), callback.key, callback.sequence),
        )
        if delivered:
            self._connection.execute(
                "UPDATE keys SET callbacks_delivered = callbacks_delivered + 1 WHERE key = ?", (callback.key,)
            )

    def owed(self) -> list[OwedCallback]:
        """Return every callback not yet received by its address, the earliest first."""
        rows = self._connection.execute(
            "SELECT e.key, e.sequence, c.callback_url, e.body, e.calls_back_at, e.attempts, e.delivered,"
            " c.faults FROM events e JOIN contacts c ON c.key = e.key"
            " WHERE e.open = 1 ORDER BY e.calls_back_at"
        )
        return [
            OwedCallback(
                key, sequence, url, body.encode(), due_at, attempts, delivered, Faults(**json.loads(faults))
            )
            for key, sequence, url, body, due_at, attempts, delivered, faults in rows
        ]

    def contact(self, key: str, now: float) -> dict[str, object] | None:
        """Return the present state of a contact, None when its key was never accepted."""
        made = self._connection.execute(
            "SELECT provider_id, channel FROM contacts WHERE key = ?", (key,)
        ).fetchone()
        if made is None:
            return None
        latest = self._connection.execute(
            "SELECT body FROM events WHERE key = ? AND occurs_at <= ? ORDER BY sequence DESC LIMIT 1",
            (key, now),
        ).fetchone()
        if latest is not None:
            known: dict[str, object] = json.loads(latest[0])
            return known
        return {
            "key": key,
            "provider_id": made[0],
            "channel": made[1],
            "status": "in_progress" if made[1] == "phone" else "accepted",
            "result": None,
            "transcript": None,
            "duration_seconds": None,
            "recording_url": None,
        }

    def entry(self, key: str) -> dict[str, object] | None:
        """Return everything received and done under one key, None when nothing was."""
        row = self._connection.execute(
            "SELECT requests, reached, callbacks_delivered FROM keys WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        (owed,) = self._connection.execute(
            "SELECT count(*) FROM events WHERE key = ? AND open = 1", (key,)
        ).fetchone()
        return {
            "key": key,
            "requests": row[0],
            "reached": row[1],
            "callbacks_delivered": row[2],
            "callbacks_owed": owed,
        }

    def keys(self) -> list[KeyCount]:
        """Return the counts of every key."""
        rows = self._connection.execute("SELECT key, requests, reached, callbacks_delivered FROM keys")
        return [KeyCount(*row) for row in rows]

    def summary(self) -> dict[str, object]:
        """Return totals over all keys, and the keys requested or reached more than once."""
        execute = self._connection.execute
        keys, requests, reached, delivered = execute(
            "SELECT count(*), coalesce(sum(requests), 0), coalesce(sum(reached), 0),"
            " coalesce(sum(callbacks_delivered), 0) FROM keys"
        ).fetchone()
        (owed,) = execute("SELECT count(*) FROM events WHERE open = 1").fetchone()
        return {
            "keys": keys,
            "requests": requests,
            "reached": reached,
            "callbacks_delivered": delivered,
            "callbacks_owed": owed,
            "keys_reached_more_than_once": _keys(
                execute("SELECT key FROM keys WHERE reached > 1 ORDER BY key")
            ),
            "keys_requested_more_than_once": _keys(
                execute("SELECT key FROM keys WHERE requests > 1 ORDER BY key")
            ),
        }


def _event_row(key: str, event: ContactEvent) -> tuple[object, ...]:
    due = event.calls_back_at
    return key, event.sequence, event.event_id, event.occurs_at, due, event.body, int(due is not None)


def _keys(rows: sqlite3.Cursor) -> list[str]:
    return [key for (key,) in rows]
