"""Re-encrypts stored values with the current key, while the fleet runs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from storage.core.database import Database
from storage.orders.upkeep.ciphertexts import COLUMNS, Ciphertexts

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
