"""Months of history in tests: which there are, and rows that are moved into another."""

from datetime import date
from typing import Final

from storage.core.database import Database
from storage.orders.upkeep.months import MONTHLY
from tests.support.probe import Probe

_MONTHS: Final = (
    "SELECT substring(c.relname FROM '_([0-9]{4}_[0-9]{2})$') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
    "WHERE i.inhparent = CAST(%s AS regclass) ORDER BY 1"
)


def months_of(database: Database, table: str) -> list[date]:
    """The months that there are of a table."""
    found = Probe(database).values(_MONTHS, table)
    return [date.fromisoformat(f"{name.replace('_', '-')}-01") for name in found if name is not None]


def this_month(database: Database, *, later: int = 0) -> date:
    """The first day of the month that it is, or of one later or earlier."""
    found: date = Probe(database).value(
        "SELECT CAST(date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + make_interval(months => %s) AS date)",
        later,
    )
    return found


def move_rows(database: Database, table: str, month: date, *, where: str = "true") -> int:
    """Let rows of a table tell the second day of another month; how many there were. Lines must not be sealed yet."""
    monthly, day = MONTHLY[table], month.replace(day=2)
    bound = f"history_bound('{table}', CAST('{day}' AS date))"
    told = (
        f"CAST({bound} AS timestamptz)" if monthly.prefix is None else f"{bound} || right({monthly.key}, 15)"
    )
    with database.transaction() as work:
        moved = work.connection.exec_driver_sql(f"UPDATE {table} SET {monthly.key} = {told} WHERE {where}")
    return moved.rowcount
