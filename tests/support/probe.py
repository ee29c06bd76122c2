"""What a test reads out of the tables, and what it writes there to make time pass or to break something."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage.core.database import Database


@dataclass(frozen=True, slots=True)
class Probe:
    """Queries over a test's database, each in a transaction of its own; parameters are written `%s`."""

    database: Database

    def rows(self, query: str, *parameters: object) -> Sequence[Any]:
        """The rows of a query, with their columns as attributes and by position."""
        with self.database.transaction() as work:
            return work.connection.exec_driver_sql(query, parameters).all()

    def row(self, query: str, *parameters: object) -> Any:
        """The only row of a query."""
        (found,) = self.rows(query, *parameters)
        return found

    def mappings(self, query: str, *parameters: object) -> list[Mapping[str, Any]]:
        """The rows of a query, each by the names of its columns."""
        return [row._mapping for row in self.rows(query, *parameters)]

    def values(self, query: str, *parameters: object) -> list[Any]:
        """The values of a query of one column."""
        return [row[0] for row in self.rows(query, *parameters)]

    def value(self, query: str, *parameters: object) -> Any:
        """The only value of a query."""
        (found,) = self.values(query, *parameters)
        return found

    def write(self, statement: str, *parameters: object) -> None:
        """Change rows behind the back of the code that is tested."""
        with self.database.transaction() as work:
            work.connection.exec_driver_sql(statement, parameters)
