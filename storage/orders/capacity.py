"""The capacity of engineers by region and day: set by people, used by appointments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import text

from storage.core.bulk import recordset, rows_of
from storage.core.unit_of_work import Repository
from storage.orders.tables import engineer_capacity

DEFAULT_REGION: Final = "default"
"""The region of an order that names none."""

_FIELDS = "region, day, capacity, booked"
_LIST = text(
    f"SELECT {_FIELDS} FROM engineer_capacity WHERE (CAST(:region AS text) IS NULL OR region = :region) "
    "AND day >= :first AND day <= :last AND (day, region) > (CAST(:after_day AS date), CAST(:after_region AS text)) "
    "ORDER BY day, region LIMIT :limit",
)
_TODAY = "CAST((SELECT business_now()) AS date)"
# A region without a row in the days asked for is still told apart from one that has none at all. Without bounds:
# from yesterday on (a day begins earlier in the east), and over a month ahead.
_OFFERED = text(
    f"""
    SELECT r.region, c.day, c.capacity, c.booked FROM unnest(CAST(:regions AS text[])) AS r(region)
    LEFT JOIN engineer_capacity c ON c.region = r.region
        AND c.day >= coalesce(CAST(:first AS date), {_TODAY} - 1)
        AND c.day <= coalesce(CAST(:last AS date), greatest({_TODAY} + 40, CAST(:further AS date)))
    WHERE EXISTS (SELECT FROM engineer_capacity e WHERE e.region = r.region) ORDER BY r.region, c.day
    """,
)
_COLUMNS = ("region", "day", "capacity")
_LOCK = text(
    "SELECT t.region, t.day, t.capacity, t.booked FROM engineer_capacity t "
    f"JOIN {recordset(engineer_capacity, ('region', 'day'))} ON t.region = c.region AND t.day = c.day "
    "ORDER BY t.region, t.day FOR UPDATE OF t",
)
_SET = text(
    f"INSERT INTO engineer_capacity ({', '.join(_COLUMNS)}) "
    f"SELECT c.region, c.day, c.capacity FROM {recordset(engineer_capacity, _COLUMNS)} "
    "ORDER BY c.region, c.day ON CONFLICT (region, day) DO UPDATE SET capacity = EXCLUDED.capacity",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCapacity:
    """The capacity of a region on a day, and how much is used."""

    region: str
    day: date
    capacity: int
    booked: int = 0

    @property
    def free(self) -> int:
        """Visits it still has room for."""
        return self.capacity - self.booked


@dataclass(frozen=True, slots=True)
class Capacity(Repository):
    """The only code that sets `engineer_capacity`; what appointments take of it is `Places`'s."""

    def days(
        self,
        *,
        region: str | None,
        first: date,
        last: date,
        after: tuple[date, str] | None = None,
        limit: int = 100,
    ) -> list[DayCapacity]:
        """The days of one region or all, in order, from behind the place (`day`, `region`) on."""
        after_day, after_region = after or (date.min, "")
        parameters = {
            "region": region,
            "first": first,
            "last": last,
            "after_region": after_region,
            "after_day": after_day,
            "limit": limit,
        }
        return [DayCapacity(**row._mapping) for row in self.connection.execute(_LIST, parameters)]

    def offered(
        self, regions: Sequence[str], first: date, last: date
    ) -> Mapping[str, Mapping[date, DayCapacity]]:
        """The days of these regions; a region that was never given a capacity is not among them: no limit."""
        return self._found(regions, first=first, last=last)

    def coming(
        self, regions: Sequence[str], further: date | None
    ) -> Mapping[str, Mapping[date, DayCapacity]]:
        """Return the coming days of these regions with capacity, at least up to that day."""
        return self._found(regions, further=further)

    def _found(
        self,
        regions: Sequence[str],
        *,
        first: date | None = None,
        last: date | None = None,
        further: date | None = None,
    ) -> Mapping[str, Mapping[date, DayCapacity]]:
        parameters = {"regions": list(regions), "first": first, "last": last, "further": further}
        rows = self.connection.execute(_OFFERED, parameters)
        found: dict[str, dict[date, DayCapacity]] = {}
        for row in rows:
            days = found.setdefault(row.region, {})
            if row.day is not None:
                days[row.day] = DayCapacity(**row._mapping)
        return found

    def set(self, days: Sequence[DayCapacity]) -> list[DayCapacity]:
        """Give days their capacity; nothing is written when fewer visits would fit than are booked.

        Returns:
            The days, as they stand, that have more visits booked than they are to have room for.
        """
        wanted = {(day.region, day.day): day.capacity for day in days}
        standing = self.connection.execute(_LOCK, rows_of(("region", "day"), list(wanted)))
        refused = [
            day
            for row in standing
            if (day := DayCapacity(**row._mapping)).booked > wanted[day.region, day.day]
        ]
        if not refused:
            rows = [(region, day, capacity) for (region, day), capacity in wanted.items()]
            self.connection.execute(_SET, rows_of(_COLUMNS, rows))
        return refused
