"""Every column with blind indexes of numbers: finds those of former keys, and writes them anew."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import text

from runtime.cipher import UnreadableCiphertext
from runtime.phone import Phone, normalise
from storage.core.unit_of_work import Repository
from storage.engine.states import RUNS_ENDED

_FORMER: Final = "substring(phone_index FROM 29) <> :name"
_NEEDED: Final[Mapping[str, str]] = {
    "tasks": f"SELECT count(*) FROM tasks WHERE {_FORMER}",
    "contact_logs": (
        f"SELECT count(*) FROM contact_logs WHERE {_FORMER} AND direction = 'outbound' AND status <> 'refused' "
        "AND contact_time > (SELECT business_now()) - CAST(:within AS interval)"
    ),
    "do_not_call": (
        f"SELECT count(*) FROM do_not_call WHERE {_FORMER} AND lifted_at IS NULL "
        "AND (until IS NULL OR until > (SELECT business_now()))"
    ),
    "forgotten_numbers": f"SELECT count(*) FROM forgotten_numbers WHERE {_FORMER}",
    # The words of a caller, by which the same call is recognised while its order is open.
    "steps": (
        "SELECT count(*) FROM steps JOIN runs USING (run_id) "
        f"WHERE runs.state NOT IN ({RUNS_ENDED}) AND right(input #>> '{{call,words}}', 8) <> encode(:name, 'hex')"
    ),
}
"""What still needs a former key, by table."""

_NUMBERS: Final = text(
    "SELECT task_id, phone FROM tasks WHERE task_id > :after AND phone IS NOT NULL ORDER BY task_id LIMIT :most"
)
_PAIRS: Final = "unnest(CAST(:old AS bytea[]), CAST(:new AS bytea[])) AS pair(old, new)"
TABLES: Final = ("contact_logs", "do_not_call", "forgotten_numbers", "tasks")
"""The orders last: what is broken off finds their numbers again."""

# Two marks of one forgotten number become one row.
_RENEW_FORGOTTEN: Final = text(
    f"""
    WITH gone AS (DELETE FROM forgotten_numbers WHERE phone_index = ANY(CAST(:old AS bytea[]))
                  RETURNING phone_index, forgotten_at)
    INSERT INTO forgotten_numbers AS kept (phone_index, forgotten_at)
    SELECT pair.new, max(forgotten_at) FROM gone JOIN {_PAIRS} ON gone.phone_index = pair.old GROUP BY pair.new
    ON CONFLICT (phone_index) DO UPDATE SET forgotten_at = greatest(kept.forgotten_at, excluded.forgotten_at)
    """
)


@dataclass(frozen=True, slots=True)
class NumberMarks(Repository):
    """The only code that writes blind indexes of every table, and changes nothing else of them."""

    def left(self, key_name: bytes, *, within: timedelta) -> dict[str, int]:
        """How many rows are needed and are not of the key of this name, by table.

        Args:
            key_name: The current index key's.
            within: How far back contacts count.
        """
        given = {"name": key_name, "within": within}
        counts = {
            table: self.connection.execute(
                text(query), {name: given[name] for name in given if f":{name}" in query}
            ).scalar_one()
            for table, query in _NEEDED.items()
        }
        return {table: int(rows) for table, rows in counts.items() if rows}

    def numbers(self, *, after: str, most: int) -> tuple[list[Phone], str | None]:
        """The numbers of so many orders, and the last order's id; None when there are no more.

        What no key of ours opens is passed over.
        """
        rows = self.connection.execute(_NUMBERS, {"after": after, "most": most}).all()
        found = (self._number(row) for row in rows)
        return [phone for phone in found if phone is not None], rows[-1].task_id if rows else None

    def renew(self, table: str, marks: Mapping[bytes, bytes]) -> int:
        """Write marks of former keys anew; how many rows. Rows at work elsewhere are left for the next time.

        Args:
            table: One of `TABLES`.
            marks: The marks of numbers under former keys, with those under the current one.
        """
        given = {"old": list(marks), "new": list(marks.values())}
        if table == "forgotten_numbers":
            return self.connection.execute(_RENEW_FORGOTTEN, given).rowcount
        renew = text(
            f"UPDATE {table} SET phone_index = pair.new FROM {_PAIRS} "
            f"WHERE {table}.phone_index = pair.old AND {table}.ctid = ANY(ARRAY("
            f"SELECT ctid FROM {table} WHERE phone_index = ANY(CAST(:old AS bytea[])) FOR UPDATE SKIP LOCKED))"
        )
        return self.connection.execute(renew, given).rowcount

    def _number(self, row: Any) -> Phone | None:
        try:
            return normalise(self.cipher.decrypt(bytes(row.phone), f"tasks.phone.{row.task_id}"))
        except UnreadableCiphertext:
            return None
