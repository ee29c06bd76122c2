"""Seals the history tables, and reads what was sealed."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from storage.access.seals import Seal, SealedRow, Seals
from storage.access.tables import SYSTEM_AUDIT
from storage.core.database import Database
from storage.core.row_digest import SealedTable
from storage.core.unit_of_work import UnitOfWork
from storage.orders.tables import AUDIT_LOGS
from tasks.orders.upkeep.settled import newest_settled

TABLES: Final[dict[str, SealedTable]] = {table.name: table for table in (SYSTEM_AUDIT, AUDIT_LOGS)}
"""The tables whose rows are sealed, by name."""

_MOST: Final = 5_000
"""Rows under one seal."""
_BEHIND_ALL: Final = 2**63 - 1


def seal(database: Database, *, seconds: float) -> int:
    """Seal what was written before this call, for so long at most; how many rows. The next call seals the rest."""
    until = time.monotonic() + seconds
    return sum(_seal(database, table, until) for table in TABLES.values())


def _seal(database: Database, table: SealedTable, until: float) -> int:
    with database.looks() as work:
        sealed_up_to = Seals(work).sealed_up_to(table)
    newest = newest_settled(database, table.name, table.position, after=sealed_up_to, until=until)
    if newest is None:
        return 0
    sealed = 0
    while True:
        with database.transaction() as work:
            rows = Seals(work).seal(table, up_to=newest, most=_MOST)
        sealed += rows
        if not rows or time.monotonic() > until:
            return sealed


def sealed_rows(
    work: UnitOfWork, *, since: datetime | None = None, until: datetime | None = None
) -> Iterator[tuple[Seal, list[SealedRow]]]:
    """The chain in order, each seal with the rows of its range; of what was sealed within these moments."""
    seals, after = Seals(work), 0
    while page := seals.after(after, most=100):
        after = page[-1].seal_id
        for found in page:
            if (since is None or found.sealed_at >= since) and (until is None or found.sealed_at < until):
                table = TABLES.get(found.table_name)
                rows = [] if table is None else seals.rows(table, found.first_position, found.last_position)
                yield found, rows


def unsealed_rows(work: UnitOfWork) -> Iterator[SealedRow]:
    """The rows that no seal covers yet."""
    seals = Seals(work)
    for table in TABLES.values():
        yield from seals.rows(table, seals.sealed_up_to(table) + 1, _BEHIND_ALL)
