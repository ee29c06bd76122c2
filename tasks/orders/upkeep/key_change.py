"""Writes stored values anew with the current keys, while the fleet runs: what is encrypted, and marks of numbers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from runtime.blind_index import BlindIndex
from storage.core.database import Database
from storage.orders.contacts.traces import LONGEST_MEMORY
from storage.orders.upkeep.ciphertexts import COLUMNS, Ciphertexts
from storage.orders.upkeep.number_marks import TABLES, NumberMarks
from tools.contact_policy.policy import ContactPolicy

_BITE: Final = 200
"""Rows one transaction writes."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """The result; when nothing is left, the former keys can be deleted."""

    written: Mapping[str, int]
    left: Mapping[str, int]
    unreadable: tuple[str, ...] = field(default=())


def renew_all(database: Database, tell: Callable[[str, int], None] = lambda *_: None) -> Renewed:
    """Write everything anew that is not of the current key; broken off, it goes on where it was.

    Args:
        database: With a cipher that has the former keys.
        tell: Called after each bite with the column and how many values of it were written so far.
    """
    written = dict.fromkeys(COLUMNS, 0)
    unreadable: list[str] = []
    for name in COLUMNS:
        while True:
            with database.transaction() as work:
                bite = Ciphertexts(work).renew(name, most=_BITE, skip=unreadable)
            written[name] += bite.written
            unreadable += bite.unreadable
            if not bite.written and not bite.unreadable:
                break
            tell(name, written[name])
    with database.snapshot(statement_seconds=60.0) as work:
        left = {name: rows for name, rows in Ciphertexts(work).old().items() if rows}
    return Renewed({name: rows for name, rows in written.items() if rows}, left, tuple(unreadable))


@dataclass(frozen=True, slots=True)
class RenewedMarks:
    """Rows by table; when none is left, the former index keys can be deleted."""

    written: Mapping[str, int]
    left: Mapping[str, int]


def renew_marks(database: Database, index: BlindIndex, policy: ContactPolicy) -> RenewedMarks:
    """Write every blind index of a former key anew whose number some order has; broken off, it may be run again.

    The do-not-call list and the forgotten numbers hold no number. Of those that no order has, the marks stay as they
    are and are looked up under the former key until they end, or until somebody enters the number again.

    Args:
        database: With the cipher that opens the numbers.
        index: With the former keys.
        policy: Its caps say how long a contact counts.
    """
    within = max((LONGEST_MEMORY, *(cap.period for cap in policy.number_caps)))
    written = dict.fromkeys(TABLES, 0)
    with database.snapshot(statement_seconds=60.0) as work:
        left = NumberMarks(work).left(index.key_name, within=within)
    if not left or not index.has_former:
        return RenewedMarks({}, left)
    after: str | None = ""
    while after is not None:
        with database.transaction() as work:
            phones, after = NumberMarks(work).numbers(after=after, most=_BITE)
        marks = {old: new for new, *former in map(index.marks, phones) for old in former}
        for table in TABLES if marks else ():
            with database.transaction() as work:
                written[table] += NumberMarks(work).renew(table, marks)
    with database.snapshot(statement_seconds=60.0) as work:
        left = NumberMarks(work).left(index.key_name, within=within)
    return RenewedMarks({table: rows for table, rows in written.items() if rows}, left)
