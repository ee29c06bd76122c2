"""The days of a policy: which kind each is, and the hours in which customers may be contacted."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tools.calendar import Calendar
from tools.contact_policy.policy import ContactPolicy


class CalendarDayKind(StrEnum):
    """What a day is to the official calendar."""

    WORKING_DAY = "working day"
    WEEKEND = "weekend"
    MAKE_UP_DAY = "make-up working day (调休)"
    HOLIDAY = "public holiday"


@dataclass(frozen=True, slots=True)
class DayWindows:
    """A day of the customer's calendar and the hours in which contacts are permitted; none on a holiday."""

    day: date
    kind: CalendarDayKind
    windows: tuple[str, ...]


def day_windows(
    calendar: Calendar, policy: ContactPolicy, first: date, number: int
) -> tuple[DayWindows, ...]:
    """So many days from the first on."""
    return tuple(_windows_of(calendar, policy, first + timedelta(days=nth)) for nth in range(number))


def _windows_of(calendar: Calendar, policy: ContactPolicy, day: date) -> DayWindows:
    kind, windows = CalendarDayKind.WORKING_DAY, policy.working_day_windows
    if calendar.is_working_weekend(day):
        kind = CalendarDayKind.MAKE_UP_DAY
    elif calendar.is_weekend(day):
        kind, windows = CalendarDayKind.WEEKEND, policy.weekend_windows
    if calendar.is_holiday(day):
        kind, windows = CalendarDayKind.HOLIDAY, windows if policy.contact_on_holidays else ()
    return DayWindows(day, kind, tuple(map(str, windows)))
