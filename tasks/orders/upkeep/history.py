"""Makes the months of history ahead, and drops those that were kept long enough."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, Final

from runtime.logs import logger
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.core.unit_of_work import UnitOfWork
from storage.orders.upkeep.months import MONTHLY, HistoryMonths, MonthlyTable
from storage.orders.upkeep.retention import Retention
from tasks.orders.upkeep.audit_check import REMOVAL
from tasks.orders.upkeep.audit_removal import removal_of
from tasks.orders.upkeep.sealing import TABLES as SEALED
from tools.policies.retention import DataKind

_log = logger(__name__)

_STATEMENT_SECONDS: Final = 60.0
"""What one statement may take: it counts the rows of a month, or samples all of them."""

TABLES: Final[Mapping[DataKind, MonthlyTable]] = {
    DataKind.EVENTS: MONTHLY["events"],
    DataKind.AUDIT: MONTHLY["audit_logs"],
    DataKind.TRANSITIONS: MONTHLY["transitions"],
}
"""The kinds that go by the month, each with its table."""


def keep_months(database: Database) -> None:
    """Make the months that are missing, each in a transaction, and warn of rows that fit into none.

    Raises:
        StorageUnavailable: PostgreSQL is away or a table is in use; the months that were made stay.
    """
    for table in MONTHLY.values():
        with database.transaction() as work:
            missing = HistoryMonths(work).missing(table)
        for month in missing:
            with database.transaction() as work:
                moved = HistoryMonths(work).make(table, month)
            _log.info("a month of history was made", table=table.name, month=f"{month:%Y-%m}", moved=moved)
    with database.transaction() as work:
        left_over = [table.name for table in MONTHLY.values() if HistoryMonths(work).left_over(table)]
    if left_over:
        _log.warning("rows of history fit into no month and are kept for ever", tables=left_over)


def analyze(database: Database) -> None:
    """Let the planner know the tables of history as wholes; where that takes too long it knows what it knew."""
    try:
        with database.transaction() as work:
            Retention(work).limit(_STATEMENT_SECONDS)
            HistoryMonths(work).analyze()
    except StorageUnavailable as error:
        _log.warning("the tables of history were not analyzed", error=str(error))


def count_due(work: UnitOfWork, kind: DataKind, kept: timedelta) -> int:
    """How many rows the months of this kind have that may be dropped."""
    months = HistoryMonths(work)
    return sum(months.rows(TABLES[kind], month) for month in _due(months, TABLES[kind], kept))


def drop_month(database: Database, kind: DataKind, kept: timedelta) -> tuple[int, bool]:
    """Drop the oldest month that may be; how many rows went, and whether there was none.

    Raises:
        StorageUnavailable: PostgreSQL is away or the table is in use; nothing was dropped.
    """
    table = TABLES[kind]
    with database.transaction() as work:
        Retention(work).limit(_STATEMENT_SECONDS)
        months = HistoryMonths(work)
        months.hold()
        for month in _due(months, table, kept):
            gone: dict[str, Any] = {"kind": kind, "month": f"{month:%Y-%m}"}
            if table.name in SEALED:
                removal = removal_of(work, table, SEALED[table.name], month)
                if removal is None:
                    continue
                gone |= removal.model_dump(mode="json")
            gone["rows"] = months.rows(table, month)
            months.drop(table, month)
            Retention(work).note(kind, table.name, gone["rows"])
            SystemAudit(work).write("fleet", REMOVAL, gone)
            return gone["rows"], False
    return 0, True


def _due(months: HistoryMonths, table: MonthlyTable, kept: timedelta) -> Iterator[date]:
    """The months that are past and that nothing open has rows in."""
    return (month for month in months.past(table, kept) if not months.is_open(table, month))
