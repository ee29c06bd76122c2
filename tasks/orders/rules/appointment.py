"""Arranges the visit of an order: the customer's day, or the next with capacity."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from engine.outcomes import Failed
from schemas.orders.step_inputs import ActionInput
from schemas.people.why import Why, WhyCode
from storage.orders.capacity import DEFAULT_REGION, DayCapacity
from storage.orders.order import Order
from tasks.orders.rules.reasons import failed
from tools.order_system.contract import Booked

DAYS_AHEAD: Final = 7
"""How many days after the one the customer named are looked at, where they named no range of their own."""
OFFERED_DAYS: Final = 7
"""How many days a person is offered when none could be given."""

_LONGEST_RANGE: Final = 31
_LONGEST_REGION: Final = 64
_VISIT_HOUR: Final = time(9)


@dataclass(slots=True)
class Openings:
    """The free capacity of regions, shared by the orders of one message.

    A region that is not known here is not limited. Within a message each place is given once; what other
    messages take meanwhile is found when the appointment is written (`storage.orders.places`).
    """

    days: Mapping[str, Mapping[date, DayCapacity]] = field(default_factory=dict)
    _given: dict[tuple[str, date], int] = field(default_factory=dict)

    def limited(self, region: str) -> bool:
        """Whether this region has a capacity at all."""
        return region in self.days

    def take(self, region: str, wanted: Sequence[date]) -> date | None:
        """The first of these days that has room, taken."""
        for day in wanted:
            if self._free(region, day) > 0:
                self._given[region, day] = self._given.get((region, day), 0) + 1
                return day
        return None

    def offer(self, region: str, first: date) -> list[tuple[date, int]]:
        """The next days with room, with how much."""
        free = [(day, self._free(region, day)) for day in sorted(self.days.get(region, {})) if day >= first]
        return [(day, room) for day, room in free if room > 0][:OFFERED_DAYS]

    def _free(self, region: str, day: date) -> int:
        known = self.days.get(region, {}).get(day)
        return 0 if known is None else known.free - self._given.get((region, day), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A visit: what was asked for, and what is given. With a `region` it takes a place there."""

    asked: datetime | None
    visit_at: datetime | None
    note: str
    region: str | None = None
    day: date | None = None
    slot: str | None = None

    def as_result(self) -> dict[str, object]:
        """What the caller of the action is answered about the slot, where there is one."""
        if self.day is None:
            return {}
        slot = {"day": self.day, "visit_at": self.visit_at, "as_asked": self.visit_at == self.asked}
        named = {"region": self.region, "name": self.slot}
        return {"slot": slot | {name: value for name, value in named.items() if value is not None}}


def region_of(order: Order) -> str:
    """The region whose engineers visit this order."""
    region = order.metadata.get("region")
    return region[:_LONGEST_REGION] if isinstance(region, str) and region else DEFAULT_REGION


def asked_of(given: ActionInput) -> datetime | None:
    """When the visit is wanted: by the caller of a manual order's step, else by the customer or a person."""
    return given.call.visit_at or given.visit_at


def last_day_of(given: ActionInput) -> date | None:
    """The last day that can matter to this step; `None` where nobody named any."""
    asked = asked_of(given)
    return None if asked is None else asked.date() + timedelta(days=_LONGEST_RANGE + 1)


def arrange(
    given: ActionInput, order: Order, zone: ZoneInfo, openings: Openings, now: datetime
) -> Appointment | Failed:
    """The visit this order is given; `no_capacity` with the days that have room, when none fits.

    Nobody named a day: the next one with room, from tomorrow on.
    """
    asked, region = asked_of(given), region_of(order)
    # The date and not the words for it: the note is kept in clear and leaves the installation.
    named = "" if asked is None else f"{asked.astimezone(zone):%Y-%m-%d %H:%M}"
    if not openings.limited(region):
        return Appointment(asked=asked, visit_at=asked, note=named or "时间待定")
    today = now.astimezone(zone).date()
    wanted = _days(given, asked, zone, today)
    day = openings.take(region, wanted)
    if day is None:
        return _no_capacity(region, wanted, openings.offer(region, today))
    on_the_day = asked is not None and asked.astimezone(zone).date() == day
    if on_the_day:
        visit_at, note = asked, named
    else:
        hour = asked.astimezone(zone).time() if asked and asked > now else _VISIT_HOUR
        visit_at = datetime.combine(day, hour, tzinfo=zone).astimezone(UTC)
        note = f"{wanted[0]} 已约满, 顺延至 {day}" if asked else f"未指定日期, 安排在最近有名额的 {day}"
    return Appointment(asked=asked, visit_at=visit_at, note=note or str(day), region=region, day=day)


def adopt(appointment: Appointment, slot: Booked | None, zone: ZoneInfo) -> Appointment:
    """Return the visit as the other order system booked it; fields it leaves out stay as requested."""
    if slot is None:
        return appointment
    visit_at = slot.visit_at or appointment.visit_at
    day = slot.day or (visit_at.astimezone(zone).date() if visit_at else None)
    if slot.visit_at is None and day is not None and day != _day(visit_at, zone):
        hour = visit_at.astimezone(zone).time() if visit_at else _VISIT_HOUR
        visit_at = datetime.combine(day, hour, tzinfo=zone).astimezone(UTC)
    return Appointment(
        asked=appointment.asked, visit_at=visit_at, note=appointment.note, day=day, slot=slot.name
    )


def _days(given: ActionInput, asked: datetime | None, zone: ZoneInfo, today: date) -> list[date]:
    """The days that fit, in the order in which they are tried."""
    if asked is None:
        return [today + timedelta(days=nth) for nth in range(1, DAYS_AHEAD + 1)]
    first = max(asked.astimezone(zone).date(), today)
    # A caller's own moment is one day, whatever the customer had said before.
    named = given.visit_until if given.visit_until and not given.call.visit_at else first
    last = min(named, first + timedelta(days=_LONGEST_RANGE)) if named > first else None
    ahead = DAYS_AHEAD if last is None else (last - first).days
    return [first + timedelta(days=nth) for nth in range(ahead + 1)]


def _no_capacity(region: str, wanted: Sequence[date], offered: Sequence[tuple[date, int]]) -> Failed:
    why = Why(WhyCode.NO_CAPACITY, {"region": region, "first": wanted[0], "last": wanted[-1]})
    days = [f"{day} ({free})" for day, free in offered]
    return failed(why, Why(WhyCode.DAYS_FREE, {"days": days}) if days else Why(WhyCode.NO_DAYS_FREE))


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    return None if moment is None else moment.astimezone(zone).date()
