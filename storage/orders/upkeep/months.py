"""The months of history: made ahead, and dropped once they are past and nothing open has rows in them.

Each table of history has a partition a calendar month (UTC), named `events_2026_11`, and one for what no month covers,
so that nothing is ever refused. The owner's functions of the first migration make and drop them
(docs/decisions/0011).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import text

from runtime.ids import CHANCE_DIGITS, MILLISECOND_DIGITS, Prefix
from storage.core.unit_of_work import Repository
from storage.engine.states import RUNS_OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyTable:
    """A table of history, and what tells the month of its rows."""

    name: str
    key: str
    prefix: Prefix | None
    """Of the ids in `key`; `None` where it is a moment."""
    names_open: str
    """As SQL: whether a row `h` of it belongs to what is open, a row `o` with its `task_id` and `run_id`."""

    @property
    def rest(self) -> str:
        """The partition of what no month covers."""
        return f"{self.name}_default"

    @property
    def within(self) -> str:
        """As SQL: whether a row `h` is of the month that begins on the day `:month`."""
        first, past = self._bounds
        return f"h.{self.key} >= {first} AND h.{self.key} < {past}"

    @property
    def without(self) -> str:
        """As SQL: whether a row `h` is of another month than that."""
        first, past = self._bounds
        return f"(h.{self.key} < {first} OR h.{self.key} >= {past})"

    @property
    def moment(self) -> str:
        """As SQL: the moment that a row's key tells, null for a key that tells none."""
        if self.prefix is None:
            return self.key
        digits = f"lpad(substr({self.key}, {len(self.prefix) + 1}, {MILLISECOND_DIGITS}), 16, '0')"
        return (
            f"CASE WHEN {self.key} ~ '^{self.prefix}[0-9a-f]{{{MILLISECOND_DIGITS + CHANCE_DIGITS}}}$' "
            f"THEN to_timestamp(CAST(CAST('x' || {digits} AS bit(64)) AS bigint) / 1000.0) END"
        )

    @property
    def _bounds(self) -> tuple[str, str]:
        kind = "timestamptz" if self.prefix is None else "text"
        first, past = (
            f"CAST(history_bound('{self.name}', CAST({day} AS date)) AS {kind})"
            for day in (":month", ":month + interval '1 month'")
        )
        return first, past


MONTHLY: Final[Mapping[str, MonthlyTable]] = {
    table.name: table
    for table in (
        MonthlyTable(
            name="transitions",
            key="transition_id",
            prefix=Prefix.TRANSITION,
            names_open="h.task_id = o.task_id",
        ),
        MonthlyTable(name="audit_logs", key="log_id", prefix=Prefix.LOG, names_open="h.task_id = o.task_id"),
        MonthlyTable(name="events", key="created_at", prefix=None, names_open="h.execution_id = o.run_id"),
    )
}
"""Every table that has months, by name."""

_PARTITION: Final = re.compile(rf"(?P<table>{'|'.join(MONTHLY)})_(?:default|[0-9]{{4}}_[0-9]{{2}})")

_HOLD: Final = text("SELECT pg_advisory_xact_lock(hashtext('history months'))")
_AHEAD: Final = 2
"""Months that are made beside the one that it is."""
_THIS: Final = "date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC')"
_DUE: Final = text(
    """
    SELECT month FROM (
        SELECT to_date(substring(c.relname FROM '_([0-9]{4}_[0-9]{2})$'), 'YYYY_MM') AS month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = CAST(:name AS regclass)
    ) AS months
    WHERE month + interval '1 month' <= (clock_timestamp() - CAST(:kept AS interval)) AT TIME ZONE 'UTC' ORDER BY month
    """
)


def partitioned(name: str) -> str:
    """The table whose partition this is; the name itself of what is none."""
    found = _PARTITION.fullmatch(name)
    return name if found is None else found["table"]


@dataclass(frozen=True, slots=True)
class HistoryMonths(Repository):
    """The only code that makes and drops months of history."""

    def hold(self) -> None:
        """Let nobody else make or drop a month until this transaction ends; who reads one first could not drop it."""
        self.connection.execute(_HOLD)

    def missing(self, table: MonthlyTable) -> Sequence[date]:
        """The months to be made: this one, those ahead, and those of rows that no month covers."""
        found = self.connection.execute(
            text(
                f"""
                SELECT month FROM (
                    SELECT CAST({_THIS} + make_interval(months => n) AS date) AS month
                    FROM generate_series(0, {_AHEAD}) AS n
                    UNION SELECT CAST(date_trunc('month', {table.moment} AT TIME ZONE 'UTC') AS date)
                    FROM {table.rest}
                ) AS wanted
                WHERE month IS NOT NULL AND to_regclass('{table.name}' || to_char(month, '_YYYY_MM')) IS NULL
                ORDER BY month
                """
            )
        )
        return found.scalars().all()

    def make(self, table: MonthlyTable, month: date) -> int:
        """Make a month, with the rows of it that no month covered; how many were moved.

        Whoever reads the table waits meanwhile; where a lock is not got within half a second, nothing is made.
        """
        statement = text("SELECT make_history_month(:name, :month)")
        made = self.connection.execute(statement, {"name": table.name, "month": month})
        return made.scalar_one() or 0

    def left_over(self, table: MonthlyTable) -> bool:
        """Whether there are rows that no month covers."""
        return bool(self.connection.execute(text(f"SELECT EXISTS (SELECT FROM {table.rest})")).scalar_one())

    def analyze(self) -> None:
        """Let the planner know what holds of all months of a table together; autovacuum looks at each by itself."""
        self.connection.execute(text("SELECT analyze_history()"))

    def past(self, table: MonthlyTable, kept: timedelta) -> Sequence[date]:
        """The months of which every row has been kept so long, the oldest first."""
        return self.connection.execute(_DUE, {"name": table.name, "kept": kept}).scalars().all()

    def is_open(self, table: MonthlyTable, month: date) -> bool:
        """Whether something that is still open has rows in a month."""
        # What began after the month has no row in it; a day, for clocks of machines that do not agree.
        begun = "history_bound('runs', CAST(:month + interval '1 month 1 day' AS date))"
        found = self.connection.execute(
            text(
                f"""
                WITH open AS MATERIALIZED (
                    SELECT subject_id AS task_id, run_id FROM runs
                    WHERE state IN ({RUNS_OPEN}) AND run_id < {begun}
                    UNION SELECT task_id, run_id FROM tasks WHERE finished_at IS NULL AND run_id < {begun}
                )
                SELECT EXISTS (SELECT FROM open o, LATERAL (
                    SELECT FROM {table.name} h WHERE {table.names_open} AND {table.within} LIMIT 1) AS row)
                """
            ),
            {"month": month},
        )
        return bool(found.scalar_one())

    def positions(self, table: MonthlyTable, month: date) -> tuple[int, int]:
        """The first and the last position of the rows of a month; zeros where it has none."""
        statement = f"SELECT min(h.position), max(h.position) FROM {table.name} h WHERE {table.within}"
        first, last = self.connection.execute(text(statement), {"month": month}).one()
        return first or 0, last or 0

    def shared_seals(self, table: MonthlyTable, month: date, seal_ids: Sequence[int]) -> Sequence[int]:
        """Those of these seals that have rows of other months, too."""
        found = self.connection.execute(
            text(
                f"""
                SELECT s.seal_id FROM audit_seals s WHERE s.seal_id = ANY(:ids) AND EXISTS (
                    SELECT FROM {table.name} h
                    WHERE h.position BETWEEN s.first_position AND s.last_position AND {table.without})
                ORDER BY s.seal_id
                """
            ),
            {"ids": list(seal_ids), "month": month},
        )
        return found.scalars().all()

    def bounds(self, table: MonthlyTable, month: date) -> tuple[str, str]:
        """Where the ids of a month begin, and where those of the next one do."""
        past = "CAST(:month + interval '1 month' AS date)"
        statement = f"SELECT history_bound(:name, :month), history_bound(:name, {past})"
        first, past = self.connection.execute(text(statement), {"name": table.name, "month": month}).one()
        return first, past

    def rows(self, table: MonthlyTable, month: date) -> int:
        """How many rows a month has."""
        counted = text(f"SELECT count(*) FROM {table.name} h WHERE {table.within}")
        return int(self.connection.execute(counted, {"month": month}).scalar_one())

    def drop(self, table: MonthlyTable, month: date) -> None:
        """Drop a month that is past; where a lock is not got within half a second, nothing is dropped."""
        statement = text("SELECT drop_history_month(:name, :month)")
        self.connection.execute(statement, {"name": table.name, "month": month})
