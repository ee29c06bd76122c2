"""What is put on record before a month of a sealed table is dropped, so that what stays can be checked as before."""

from datetime import date
from typing import Final

from runtime.logs import logger
from storage.access.seals import Seals
from storage.access.system_audit import SystemAudit
from storage.core.row_digest import SealedTable
from storage.core.unit_of_work import UnitOfWork
from storage.orders.upkeep.months import HistoryMonths, MonthlyTable
from tasks.orders.upkeep.audit_check import REMOVAL, DroppedMonth, folded, has_what_it_sealed

_log = logger(__name__)

_REMOVALS: Final = 10_000
"""Entries about months that are read: three a month."""


def removal_of(
    work: UnitOfWork, table: MonthlyTable, sealed: SealedTable, month: date
) -> DroppedMonth | None:
    """What is left under each seal once a month is dropped; `None` where it must not be dropped.

    It must not while a row of it has no seal, and where a seal that will hold what is left of its rows does not
    agree with them now: what was changed would be on record as what was left.
    """
    months, seals = HistoryMonths(work), Seals(work)
    first, last = months.positions(table, month)
    if last > seals.sealed_up_to(sealed):
        _log.warning("a month is kept until it is sealed", table=table.name, month=f"{month:%Y-%m}")
        return None
    entries = SystemAudit(work).recent(what=REMOVAL, limit=_REMOVALS)
    dropped = [found for entry in entries if (found := DroppedMonth.read(entry.detail)) is not None]
    ids = seals.between(sealed, first, last)
    shared = months.shared_seals(table, month, ids)
    begins, past = months.bounds(table, month)
    left = {}
    for seal in seals.numbered(shared):
        rows = seals.rows(sealed, seal.first_position, seal.last_position)
        if not has_what_it_sealed(seal, rows, dropped):
            _log.error(
                "the audit trail was changed; a month is kept", seal=seal.seal_id, month=f"{month:%Y-%m}"
            )
            return None
        left[seal.seal_id] = folded(row.digest() for row in rows if not begins <= row.key < past).hex()
    return DroppedMonth(table=table.name, seals=(min(ids), max(ids)) if ids else (0, 0), left=left)
