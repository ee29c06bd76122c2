"""Finds an attempt by other fields than its key, for providers that do not send the key."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text

from storage.core.unit_of_work import Repository

# The short name is the head of the key's MD5, 15 digits; an index holds it.
_BY_REFERENCE = text(
    "SELECT left(md5(key), 15) AS reference, key FROM contact_logs "
    "WHERE left(md5(key), 15) = ANY(:references) AND direction = 'outbound'",
)
_LAST_TO = text(
    "SELECT phone_index, contact_method, key FROM contact_logs "
    "WHERE phone_index = ANY(:numbers) AND direction = 'outbound' AND status <> 'refused' "
    "AND contact_time > (SELECT business_now()) - CAST(:within AS interval) "
    "ORDER BY contact_time DESC, created_at DESC",
)
LONGEST_MEMORY = timedelta(days=90)
"""A reply to an older text is no answer to it any more."""


@dataclass(frozen=True, slots=True)
class ContactTraces(Repository):
    """Reads `contact_logs` by other names than the key."""

    def by_references(self, references: Sequence[str]) -> dict[str, str]:
        """The key behind each short name; one that two keys share is as good as unknown."""
        if not references:
            return {}
        found: dict[str, list[str]] = {}
        for row in self.connection.execute(_BY_REFERENCE, {"references": list(references)}):
            found.setdefault(row.reference, []).append(row.key)
        return {reference: keys[0] for reference, keys in found.items() if len(keys) == 1}

    def sent_to(self, numbers: Collection[Sequence[bytes]]) -> dict[tuple[bytes, str], list[str]]:
        """The keys of what was sent to these numbers, by the number's first mark and the channel, newest first.

        Args:
            numbers: Of each number all its marks.
        """
        if not numbers:
            return {}
        found: dict[tuple[bytes, str], list[str]] = {}
        first = {mark: marks[0] for marks in numbers for mark in marks}
        asked = {"numbers": list(first), "within": LONGEST_MEMORY}
        for row in self.connection.execute(_LAST_TO, asked):
            found.setdefault((first[bytes(row.phone_index)], row.contact_method), []).append(row.key)
        return found
