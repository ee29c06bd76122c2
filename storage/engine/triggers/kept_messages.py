"""Messages of the inbox that are kept until somebody waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import INBOX_EXPIRED, INBOX_KEPT, INBOX_TAKEN

_MOST_EXPIRED: Final = 5_000
MOST_LOOKED_AT: Final = 200
"""Kept messages that one look for unmet ones reads, however many there are."""
_HOLD = text(
    "SELECT pg_advisory_xact_lock(half) FROM (SELECT DISTINCT hashtextextended(place, 0) AS half "
    "FROM unnest(CAST(:places AS text[])) AS place ORDER BY half) AS halves"
)
_TAKE_KEPT = text(
    f"""
    WITH oldest AS MATERIALIZED (
        SELECT entry_id, payload FROM inbox
        WHERE name = :name AND key = :key AND state = {INBOX_KEPT} AND expires_at > clock_timestamp()
        ORDER BY entry_id LIMIT 1 FOR UPDATE
    ), taken AS (
        UPDATE inbox SET state = {INBOX_TAKEN}, taken_by = :step_id, payload = NULL, ended_at = clock_timestamp(),
            outcome = inbox.outcome || '{{"receivers": 1}}'
        FROM oldest WHERE inbox.entry_id = oldest.entry_id
    )
    SELECT entry_id, payload FROM oldest
    """
)
_KEPT_OF = text(
    f"""
    SELECT DISTINCT i.name, i.key FROM inbox i
    JOIN unnest(CAST(:names AS text[]), CAST(:keys AS text[])) AS w(name, key) USING (name, key)
    WHERE i.state = {INBOX_KEPT} AND i.expires_at > clock_timestamp()
    """
)
_UNMET = text(
    f"""
    SELECT i.name, i.key, EXISTS (SELECT FROM subscriptions s
            WHERE s.kind = 'message' AND s.name = i.name AND s.key = i.key) AS awaited
    FROM inbox i WHERE i.state = {INBOX_KEPT} AND (i.name, i.key) > (:name, :key)
    ORDER BY i.name, i.key LIMIT {MOST_LOOKED_AT}
    """
)
_EXPIRE = text(
    f"""
    UPDATE inbox SET state = {INBOX_EXPIRED}, payload = NULL, ended_at = clock_timestamp()
    WHERE entry_id = ANY(ARRAY(
        SELECT entry_id FROM inbox WHERE state = {INBOX_KEPT} AND expires_at <= clock_timestamp()
        ORDER BY expires_at LIMIT {_MOST_EXPIRED} FOR UPDATE SKIP LOCKED))
    """
)


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A kept message that one has taken who began to wait for it."""

    entry_id: int
    payload: Any


@dataclass(frozen=True, slots=True)
class KeptMessages(Repository):
    """The only code that takes, or ends, messages that are kept."""

    def hold(self, messages: Sequence[tuple[str, str]]) -> None:
        """Let nobody else deliver messages of these names and keys, or begin to wait for them, until this ends.

        Without it, one that is kept and one that begins to wait at the same moment would never meet.
        """
        if messages:
            self.connection.execute(_HOLD, {"places": [f"message {name} {key}" for name, key in messages]})

    def kept_of(self, messages: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Those of these names and keys for which a message is kept."""
        if not messages:
            return []
        values = {"names": [name for name, _ in messages], "keys": [key for _, key in messages]}
        return [(row.name, row.key) for row in self.connection.execute(_KEPT_OF, values)]

    def unmet(self, after: tuple[str, str]) -> tuple[list[tuple[str, str]], tuple[str, str]]:
        """Names and keys of which a message is kept although somebody waits: whoever was to look has died.

        Returns:
            Those of the next few kept messages after this name and key; and where the next look is to go on.
        """
        rows = self.connection.execute(_UNMET, {"name": after[0], "key": after[1]}).all()
        unmet = list(dict.fromkeys((row.name, row.key) for row in rows if row.awaited))
        return unmet, (rows[-1].name, rows[-1].key) if len(rows) == MOST_LOOKED_AT else ("", "")

    def match_kept(self, name: str, key: str, step_id: int) -> KeptMessage | None:
        """Take the oldest kept message of this name and key for a step that begins to wait for it."""
        self.hold([(name, key)])
        row = self.connection.execute(
            _TAKE_KEPT, {"name": name, "key": key, "step_id": step_id}
        ).one_or_none()
        return None if row is None else KeptMessage(row.entry_id, row.payload)

    def expire(self) -> int:
        """End messages that nobody waited for in their time; how many."""
        return self.connection.execute(_EXPIRE).rowcount
