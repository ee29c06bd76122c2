"""Who is writing to a table: rows become visible when their transaction commits, not in the order of their numbers."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository

_WRITERS: Final = text(
    "SELECT virtualtransaction FROM pg_locks WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND relation = CAST(:table_name AS regclass)"
)


@dataclass(frozen=True, slots=True)
class Writers(Repository):
    """Reads the locks that writers take before they are given a number, and keep to the end of their transaction."""

    def newest(self, table: str, position: str) -> int:
        """The number of the newest row that is to be seen; 0 where there is none."""
        return self.connection.execute(text(f"SELECT max({position}) FROM {table}")).scalar_one() or 0

    def of(self, table: str) -> frozenset[str]:
        """The transactions that may add to a table at this moment."""
        rows = self.connection.execute(_WRITERS, {"table_name": table})
        return frozenset(row.virtualtransaction for row in rows)
