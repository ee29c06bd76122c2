"""Books and frees the engineers' capacity for appointments: under locks, all or nothing, never too many."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import text

from schemas.orders.effects import AppointmentBooked
from storage.core.bulk import recordset, rows_of
from storage.core.unit_of_work import UnitOfWork
from storage.orders.tables import engineer_capacity

Place = tuple[str, date]
"""A region and a day."""

_PLACE = ("region", "day")
# A visit whose time has passed has used its place up.
_HELD = (
    "(order_id = ANY(:orders) OR task_id = ANY(:tasks)) AND region IS NOT NULL AND released_at IS NULL "
    "AND visit_at > (SELECT business_now())"
)
_LOCK_HELD = text(
    f"SELECT order_id, region, day FROM appointments WHERE {_HELD} ORDER BY action_id FOR UPDATE",
)
_RELEASE = text(
    f"UPDATE appointments SET released_at = (SELECT business_now()) WHERE {_HELD} RETURNING region, day",
)
_LOCK = text(
    "SELECT t.region, t.day, t.capacity - t.booked AS free FROM engineer_capacity t "
    f"JOIN {recordset(engineer_capacity, _PLACE)} ON t.region = c.region AND t.day = c.day "
    "ORDER BY t.region, t.day FOR UPDATE OF t",
)
_CHANGE = text(
    "UPDATE engineer_capacity SET booked = engineer_capacity.booked + c.change "
    f"FROM {recordset(engineer_capacity, _PLACE, change='integer')} "
    "WHERE engineer_capacity.region = c.region AND engineer_capacity.day = c.day",
)


class NoPlaceLeft(Exception):
    """The place of an appointment was taken meanwhile; nothing of its step is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What one recording does to places, each with its step.

    Attributes:
        booked: Appointments in the order in which they are served; those that take no place (no region)
            are among them.
        orders: Orders whose coming visits are off.
        tasks: Tasks whose coming visits are off.
    """

    booked: Sequence[tuple[int, AppointmentBooked]] = ()
    orders: Sequence[tuple[int, str]] = ()
    tasks: Sequence[tuple[int, str]] = ()

    @property
    def any(self) -> bool:
        """Whether there is anything to look at."""
        return bool(self.booked or self.orders or self.tasks)

    def without(self, steps: Collection[int]) -> "Changes":
        """The same, but for what these steps do."""
        return Changes(
            booked=[change for change in self.booked if change[0] not in steps],
            orders=[change for change in self.orders if change[0] not in steps],
            tasks=[change for change in self.tasks if change[0] not in steps],
        )

    def parameters(self) -> dict[str, list[str]]:
        """Whose earlier places are given back: an order has one visit to come, so a new one frees the old."""
        orders = {booked.order_id for _, booked in self.booked} | {order_id for _, order_id in self.orders}
        return {"orders": sorted(orders), "tasks": sorted(task_id for _, task_id in self.tasks)}


@dataclass(slots=True)
class Places:
    """The only code that takes and gives back places: first judged, every row locked, then written."""

    work: UnitOfWork
    _touched: bool = field(default=False)

    def judge(self, changes: Changes) -> dict[int, NoPlaceLeft]:
        """Lock the capacity rows concerned, in one order; return the steps whose appointment has no capacity."""
        self._touched = False
        if not changes.any:
            return {}
        held: dict[str, Place] = {}
        wanted = {place for _, booked in changes.booked if (place := _place_of(booked))}
        concerned = set(wanted)
        for row in self.work.connection.execute(_LOCK_HELD, changes.parameters()):
            held[row.order_id] = (row.region, row.day)
            concerned.add((row.region, row.day))
        if not concerned:
            return {}
        self._touched = True
        rows = self.work.connection.execute(_LOCK, rows_of(_PLACE, sorted(concerned)))
        free: Counter[Place] = Counter({(row.region, row.day): row.free for row in rows})
        refused = {}
        for step_id, booked in changes.booked:
            place = _place_of(booked)
            if place is None or held.get(booked.order_id) == place:
                continue
            if free[place] <= 0:
                refused[step_id] = NoPlaceLeft(f"{place[0]} {place[1]} 的名额刚被占用, 重新安排")
            else:
                free[place] -= 1
        return refused

    def write(self, changes: Changes) -> None:
        """Book and free the capacity of appointments that were not refused."""
        if not self._touched:
            return
        change: Counter[Place] = Counter()
        for row in self.work.connection.execute(_RELEASE, changes.parameters()):
            change[row.region, row.day] -= 1
        for _, booked in changes.booked:
            place = _place_of(booked)
            if place is not None:
                change[place] += 1
        rows = [(*place, by) for place, by in sorted(change.items()) if by]
        if rows:
            self.work.connection.execute(_CHANGE, rows_of((*_PLACE, "change"), rows))


def _place_of(booked: AppointmentBooked) -> Place | None:
    return None if booked.region is None or booked.day is None else (booked.region, booked.day)
