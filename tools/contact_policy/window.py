"""Computes the next permitted moment for a contact, and the reason when a moment is not permitted."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum, unique
from zoneinfo import ZoneInfo

from tools.calendar import Calendar
from tools.contact_policy.caps import free_again
from tools.contact_policy.policy import MIDNIGHT, ContactPolicy, ContactWindow


@unique
class Obstacle(StrEnum):
    """Why a moment is not permitted, while a later one is."""

    GAP = "gap"
    NUMBER_CAP = "number_cap"
    DAILY_CAP = "daily_cap"
    HOLIDAY = "holiday"
    OUTSIDE_WINDOW = "outside_window"
    BUDGET = "budget"


@dataclass(frozen=True, slots=True)
class PastContacts:
    """Earlier contacts that limit the next one: the task's own, and those of its phone number over all orders."""

    own: Sequence[datetime] = ()
    of_number: Sequence[datetime] = ()


def next_permitted(
    at: datetime,
    *,
    history: Sequence[datetime],
    zone: ZoneInfo,
    policy: ContactPolicy,
    calendar: Calendar,
    number_history: Sequence[datetime] = (),
) -> datetime | None:
    """Return the earliest moment, not before `at`, at which the policy permits a contact; in UTC.

    `None`: there is none within `policy.horizon_days`.

    It lies inside a window of the customer's local day, the gap after the last contact, below the day's and
    the number's caps, and on no public holiday. Moments are compared in UTC, so a change to or from summer
    time neither shortens a gap nor opens a window twice. A permitted moment is its own answer.

    Args:
        at: Earliest moment wanted, aware.
        history: Moments of this task's contacts, aware, in any order.
        zone: The customer's time zone.
        policy: The contact policy.
        calendar: The business calendar.
        number_history: Moments of all contacts of the same phone number, over all orders.

    Raises:
        ValueError: a moment is naive.
    """
    _require_aware(at, *history, *number_history)
    earliest = max(at.astimezone(UTC), *_limits(PastContacts(history, number_history), policy).values())
    first = earliest.astimezone(zone).date()
    for distance in range(policy.horizon_days + 1):
        day = first + timedelta(days=distance)
        if day_obstacle(day, history=history, zone=zone, policy=policy, calendar=calendar) is not None:
            continue
        for opens, closes in _spans(day, zone, policy, calendar):
            if earliest < closes:
                return max(opens, earliest)
    return None


def obstacle(
    at: datetime,
    *,
    history: Sequence[datetime],
    zone: ZoneInfo,
    policy: ContactPolicy,
    calendar: Calendar,
    number_history: Sequence[datetime] = (),
) -> Obstacle | None:
    """Return what forbids a contact at exactly `at`, or None; the arguments are those of `next_permitted`."""
    _require_aware(at, *history, *number_history)
    moment = at.astimezone(UTC)
    day = moment.astimezone(zone).date()
    of_day = day_obstacle(day, history=history, zone=zone, policy=policy, calendar=calendar)
    if of_day is not None:
        return of_day
    if not any(opens <= moment < closes for opens, closes in _spans(day, zone, policy, calendar)):
        return Obstacle.OUTSIDE_WINDOW
    limits = _limits(PastContacts(history, number_history), policy)
    return next((reason for reason, limit in limits.items() if moment < limit), None)


def day_obstacle(
    day: date,
    *,
    history: Sequence[datetime],
    zone: ZoneInfo,
    policy: ContactPolicy,
    calendar: Calendar,
) -> Obstacle | None:
    """Return what forbids the whole local day, a holiday or the daily cap, or None."""
    if not policy.contact_on_holidays and calendar.is_holiday(day):
        return Obstacle.HOLIDAY
    if policy.max_per_day is None:
        return None
    contacts = sum(moment.astimezone(zone).date() == day for moment in history)
    return Obstacle.DAILY_CAP if contacts >= policy.max_per_day else None


def _limits(contacts: PastContacts, policy: ContactPolicy) -> dict[Obstacle, datetime]:
    """Return for each rolling limit the moment from which it no longer forbids; in UTC.

    The gap is a rolling limit too: one contact within any gap.
    """
    limits: dict[Obstacle, datetime] = {Obstacle.GAP: _LONG_AGO, Obstacle.NUMBER_CAP: _LONG_AGO}
    if contacts.own:
        limits[Obstacle.GAP] = max(contacts.own).astimezone(UTC) + policy.gap
    free = free_again(contacts.of_number, policy.number_caps)
    if free is not None:
        limits[Obstacle.NUMBER_CAP] = free
    return limits


def _spans(
    day: date,
    zone: ZoneInfo,
    policy: ContactPolicy,
    calendar: Calendar,
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the day's windows as moments in UTC."""
    weekend = calendar.is_weekend(day) and not calendar.is_working_weekend(day)
    for window in policy.weekend_windows if weekend else policy.working_day_windows:
        yield _moments(day, window, zone)


def _moments(day: date, window: ContactWindow, zone: ZoneInfo) -> tuple[datetime, datetime]:
    last_day = day + timedelta(days=1) if window.closes == MIDNIGHT else day
    return (
        datetime.combine(day, window.opens, tzinfo=zone).astimezone(UTC),
        datetime.combine(last_day, window.closes, tzinfo=zone).astimezone(UTC),
    )


def _require_aware(*moments: datetime) -> None:
    if any(moment.utcoffset() is None for moment in moments):
        raise ValueError("a contact moment carries no time zone; moments are aware datetimes")


_LONG_AGO = datetime.min.replace(tzinfo=UTC)
