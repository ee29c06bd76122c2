"""Fills a database with orders by the million: copies of the rows of a few orders that the fleet carried."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, text

from runtime.ids import CHANCE_DIGITS, MILLISECOND_DIGITS
from storage.core.database import Database
from storage.orders.upkeep.months import MONTHLY, HistoryMonths

_CHUNK: Final = 20_000
"""Copies that one transaction writes."""

_OF_TASKS: Final = "task_id IN (SELECT name FROM pattern)"
_OF_RUNS: Final = "run_id IN (SELECT run_id FROM tasks WHERE task_id IN (SELECT name FROM pattern))"
_SOURCES: Final = {
    "runs": _OF_RUNS,
    "tasks": _OF_TASKS,
    "steps": _OF_RUNS,
    "transitions": _OF_TASKS,
    "audit_logs": _OF_TASKS,
    "contact_logs": _OF_TASKS,
    "actions": _OF_TASKS,
    "appointments": _OF_TASKS,
    "engineer_notices": _OF_TASKS,
    "cancellations": _OF_TASKS,
    "followups": _OF_TASKS,
    "reviews": _OF_TASKS,
    "alerts": _OF_TASKS,
    "events": _OF_TASKS,
    "callbacks": f"key IN (SELECT key FROM contact_logs WHERE {_OF_TASKS})",
}
"""The tables that an order writes to, each after those it refers to."""

_NUMBERS: Final = frozenset({"step_id", "caused_by", "event_id", "position", "callback_id"})
"""Columns that number rows, or name the number of one; in `callbacks` an `event_id` is the provider's."""
_NAMES: Final = frozenset(
    {
        "task_id", "run_id", "subject_id", "order_id", "execution_id", "contact_id", "key", "action_id",
        "followup_id", "review_id", "alert_id", "event_id", "artifact_ref",
    }
)  # fmt: skip
"""Columns that name something that each order has of its own."""
_DATED: Final = frozenset(table.key for table in MONTHLY.values() if table.prefix is not None)
"""Columns of ids that tell the month of their row."""
_AHEAD: Final = frozenset(
    {"due_at", "deadline_at", "next_contact_time", "urgency", "visit_at", "followup_at"}
)
"""Moments to come; all others lie as far back as the order."""


@dataclass(frozen=True, slots=True)
class Share:
    """Of so many hundredths of the orders these are the patterns."""

    hundredths: int
    task_ids: Sequence[str]


class Filling:
    """The copies of a set of patterns; each call of `up_to` goes on where the last one ended."""

    def __init__(self, database: Database, shares: Sequence[Share], *, per_day: int) -> None:
        """Take the patterns.

        Args:
            database: As the owner of its tables.
            shares: Which orders are copied, and how often; a hundred hundredths in all.
            per_day: Orders that came in on a day: the more there are, the longer ago the first one came.
        """
        self._database = database
        self._shares = tuple(shares)
        self._per_day = per_day
        self._made = 0
        with database.transaction() as work:
            # So far apart lie the numbers of two copies that no copy of another order lies between.
            self._width = 1 + max(
                work.connection.execute(text(f"SELECT coalesce(max({column}), 0) FROM {table}")).scalar_one()
                for table, column in (
                    ("steps", "step_id"),
                    ("events", "event_id"),
                    ("audit_logs", "position"),
                    ("callbacks", "callback_id"),
                )
            )

    def up_to(self, orders: int) -> None:
        """Write copies until there are so many."""
        self._make_months(orders)
        while self._made < orders:
            until = min(self._made + _CHUNK, orders)
            with self._database.transaction() as work:
                self._write(work.connection, self._made, until)
            self._made = until
        self.tidy()

    def _make_months(self, orders: int) -> None:
        """Make the months back to the one of the first order; those of later orders are there."""
        with self._database.transaction() as work:
            for table in MONTHLY.values():
                month = datetime.now(UTC).date().replace(day=1)
                while month >= (datetime.now(UTC) - timedelta(days=orders / self._per_day + 31)).date():
                    HistoryMonths(work).make(table, month)
                    month = (month - timedelta(days=1)).replace(day=1)

    def tidy(self) -> None:
        """Let PostgreSQL look at what it has."""
        with self._database.looks() as work:
            work.connection.exec_driver_sql("SET statement_timeout = 0")
            work.connection.exec_driver_sql("VACUUM (ANALYZE)")
            work.connection.exec_driver_sql("RESET statement_timeout")

    def _write(self, connection: Connection, first: int, past: int) -> None:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        # What is copied was checked; neither keys to other tables nor triggers are looked at again.
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE pattern (name text, first integer, past integer, turn integer, turns integer) "
            "ON COMMIT DROP"
        )
        connection.execute(
            text("INSERT INTO pattern VALUES (:name, :first, :past, :turn, :turns)"), list(self._patterns())
        )
        for table, source in _SOURCES.items():
            connection.execute(
                text(self._copy(connection, table, source)),
                {"first": first, "past": past, "per_day": self._per_day, "width": self._width},
            )

    def _patterns(self) -> Iterator[dict[str, object]]:
        first = 0
        for share in self._shares:
            for turn, task_id in enumerate(share.task_ids):
                yield {
                    "name": task_id,
                    "first": first,
                    "past": first + share.hundredths,
                    "turn": turn,
                    "turns": len(share.task_ids),
                }
            first += share.hundredths

    def _copy(self, connection: Connection, table: str, source: str) -> str:
        columns = connection.execute(
            text(
                "SELECT column_name AS name, data_type AS type FROM information_schema.columns "
                "WHERE table_schema = 'public' AND table_name = :table AND is_generated = 'NEVER'"
            ),
            {"table": table},
        ).all()
        names = ", ".join(f'"{column.name}"' for column in columns)
        values = ", ".join(_value(table, column.name, column.type) for column in columns)
        task = {
            "runs": "s.subject_id",
            "steps": "s.subject_id",
            "callbacks": "(SELECT c.task_id FROM contact_logs c WHERE c.key = s.key)",
        }.get(table, "s.task_id")
        return f"""
            INSERT INTO {table} ({names}) OVERRIDING SYSTEM VALUE
            SELECT {values} FROM (SELECT {task} AS of_task, s.* FROM {table} s WHERE {source}) AS s
            JOIN pattern p ON p.name = s.of_task
            JOIN generate_series(CAST(:first AS bigint), CAST(:past AS bigint) - 1) AS n
                ON n % 100 >= p.first AND n % 100 < p.past AND n / 100 % p.turns = p.turn
            ORDER BY n
        """


def _value(table: str, name: str, kind: str) -> str:
    column = f's."{name}"'
    own = {
        "phone_index": f"CASE WHEN {column} IS NOT NULL THEN sha256(int8send(n)) END",
        **dict.fromkeys(_NAMES, f"lpad(to_hex(n), 8, '0') || left(md5({column}), 20)"),
        **(dict.fromkeys(_NUMBERS, f"{column} + (n + 1) * :width") if kind == "bigint" else {}),
    }
    if name in own:
        return own[name]
    if name in _DATED:
        now = "extract(epoch FROM statement_timestamp()) * 1000"
        milliseconds = f"CAST({now} - n * 86400000 / CAST(:per_day AS numeric) AS bigint)"
        prefix = f"left({column}, {-MILLISECOND_DIGITS - CHANCE_DIGITS})"
        chance = f"left(md5({column} || n), {CHANCE_DIGITS})"
        return f"{prefix} || lpad(to_hex({milliseconds}), {MILLISECOND_DIGITS}, '0') || {chance}"
    if (table, name) == ("tasks", "metadata"):
        return f"{column} || jsonb_build_object('customer_id', 'CUSTS' || n)"
    if kind == "timestamp with time zone":
        days = "n % 100000 / 86400.0" if name in _AHEAD else "-n / CAST(:per_day AS numeric)"
        return f"{column} + make_interval(secs => CAST(86400 * ({days}) AS double precision))"
    return column
