"""Finds a customer's data over all orders, and erases it from every table except the audit trail.

What becomes of each table's rows is in `storage.orders.upkeep.forgetting`.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import TextClause, text

from runtime.cipher import UnreadableCiphertext
from runtime.logs import logger
from storage.access.tables import SYSTEM_AUDIT
from storage.core.unit_of_work import Repository
from storage.orders.upkeep.forgetting import INTENTS, KEPT_NAMES, LOCK, NO_REJECT, STATEMENTS

_ORDERS: Final = text(
    "SELECT task_id, status, phone, phone_index FROM tasks "
    "WHERE (metadata ->> 'customer_id' = CAST(:customer_id AS text) OR phone_index = ANY(CAST(:numbers AS bytea[]))) "
    "ORDER BY task_id"
)
_log = logger(__name__)

_SOME_REJECTS: Final = text(
    "SELECT reject_id AS name, 'rejects.payload.' || reject_id AS place, payload AS held FROM rejects "
    "WHERE reject_id > :after AND payload <> '' ORDER BY reject_id LIMIT 200"
)
_BLANK_REJECTS: Final = text(f"UPDATE rejects SET {NO_REJECT} WHERE reject_id = ANY(:names)")
# Whose contact it was nobody knows; it may tell the number it came from.
_SOME_CALLBACKS: Final = text(
    "SELECT callback_id AS name, 'callbacks.body.' || provider || '.' || event_id AS place, body AS held "
    "FROM callbacks b WHERE callback_id > :after AND body <> '' "
    "AND NOT EXISTS (SELECT FROM contact_logs c WHERE c.key = b.key) ORDER BY callback_id LIMIT 200"
)
_BLANK_CALLBACKS: Final = text("UPDATE callbacks SET body = '' WHERE callback_id = ANY(:names)")
_BLANK_REASONS: Final = text(
    f"UPDATE system_audit SET detail = detail - 'reason', {SYSTEM_AUDIT.erase} WHERE detail ? 'reason' "
    "AND detail ->> 'reject_id' IN (SELECT reject_id FROM rejects WHERE payload = '')"
)
_REMEMBER: Final = text(
    "INSERT INTO forgotten_numbers (phone_index) SELECT unnest(CAST(:marks AS bytea[])) "
    "ON CONFLICT (phone_index) DO UPDATE SET forgotten_at = clock_timestamp()"
)
_FORGOTTEN: Final = text("SELECT phone_index FROM forgotten_numbers WHERE phone_index = ANY(:marks)")
UNREADABLE: Final = "unreadable"
"""Counts what could not be read, and so may still hold the number; it is left as it is."""
_GAPS: Final = re.compile(r"[\s.\-_/*·()（）‐-―－]+")


@dataclass(frozen=True, slots=True)
class Known:
    """An order of a customer; of a number that cannot be read only the blind index is known."""

    task_id: str
    status: str
    phone: str | None = field(repr=False)
    mark: bytes | None = field(repr=False)
    """The number's blind index; there where the number itself cannot be read, too."""
    unreadable: bool


@dataclass(frozen=True, slots=True)
class Privacy(Repository):
    """The only code that removes what was known of a person."""

    def orders_of(self, *, customer_id: str | None, marks: Sequence[bytes]) -> list[Known]:
        """Every order of this customer, or with the number of these marks."""
        rows = self.connection.execute(_ORDERS, {"customer_id": customer_id, "numbers": list(marks)})
        return [self._known(row) for row in rows]

    def _known(self, row: Any) -> Known:
        # A number whose key is gone goes with its row; what merely holds it cannot be looked for.
        phone = None if row.phone is None else self._read(f"tasks.phone.{row.task_id}", bytes(row.phone))
        mark = None if row.phone_index is None else bytes(row.phone_index)
        return Known(row.task_id, row.status, phone, mark, phone is None and row.phone is not None)

    def erase(
        self, task_ids: Sequence[str], numbers: Sequence[str], marks: Sequence[bytes]
    ) -> dict[str, int]:
        """Erase the customer's data in these orders; return the number of rows by kind.

        Rows, their times and who did what stay. The do-not-call list holds no number and keeps its marks.

        Args:
            task_ids: The orders.
            numbers: Digits without a country: refused input, and callbacks of no contact of ours, that merely
                contain one of them are blanked too.
            marks: The blind indexes of the same; remembered for a while, so that an answer which is still on its
                way is not kept.
        """
        given = {
            "ids": list(task_ids),
            "kept": list(KEPT_NAMES),
            "intents": list(INTENTS),
            "marks": list(marks),
        }
        self.connection.execute(LOCK, {"ids": given["ids"]})
        counts = {
            kind: self.connection.execute(
                statement, {name: given[name] for name in given if f":{name}" in statement.text}
            ).rowcount
            for kind, statement in STATEMENTS
        }
        unreadable = 0
        for kind, some, blank, first in (
            ("rejects", _SOME_REJECTS, _BLANK_REJECTS, ""),
            ("callbacks", _SOME_CALLBACKS, _BLANK_CALLBACKS, 0),
        ):
            erased, closed = self._erase_holding(numbers, some, blank, first=first)
            counts[kind] += erased
            unreadable += closed
        if unreadable:
            counts[UNREADABLE] = unreadable
        self.connection.execute(_BLANK_REASONS)
        if marks:
            self.connection.execute(_REMEMBER, {"marks": given["marks"]})
        return counts

    def forgotten(self, marks: Collection[bytes]) -> frozenset[bytes]:
        """Those of these numbers' blind indexes that were forgotten lately."""
        rows = self.connection.execute(_FORGOTTEN, {"marks": list(marks)})
        return frozenset(bytes(row.phone_index) for row in rows)

    def _erase_holding(
        self, numbers: Sequence[str], some: TextClause, blank: TextClause, *, first: str | int
    ) -> tuple[int, int]:
        """How many rows held one of the numbers, and how many could not be read; those are left as they are."""
        erased, closed, after = 0, 0, first
        while numbers:
            rows = self.connection.execute(some, {"after": after}).all()
            if not rows:
                break
            after = rows[-1].name
            told = {row.name: self._read(row.place, bytes(row.held)) for row in rows}
            closed += sum(text is None for text in told.values())
            found = [name for name, text in told.items() if text is not None and _holds(text, numbers)]
            if found:
                erased += self.connection.execute(blank, {"names": found}).rowcount
        return erased, closed

    def _read(self, place: str, held: bytes) -> str | None:
        """What is sealed there; `None` where its key is gone: one such row must not keep everybody's data."""
        try:
            return self.cipher.decrypt(held, place)
        except UnreadableCiphertext as error:
            _log.warning("a sealed value cannot be read, and is left as it is", place=place, error=str(error))
            return None


def _holds(text: str, numbers: Sequence[str]) -> bool:
    told = _GAPS.sub("", text)
    return any(number in told for number in numbers)
