"""Computes the moments of a cron expression in a time zone, correct across clock changes.

A wall time that the clocks leap over is due at the moment they leap; one that they show twice is due the
first time only. So the moments never go back, and none comes twice.
"""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final
from zoneinfo import ZoneInfo

from schemas.core.times.cron import CronExpression

_LAST_YEAR: Final = 2199
"""Later moments are none that a database and a calendar can both hold."""
_FURTHEST_BACK: Final = timedelta(days=2)
"""Further than the clocks of any zone were ever set back at once."""


def next_moment(expression: CronExpression, zone: ZoneInfo, moment: datetime) -> datetime | None:
    """Return the first moment of the expression that is strictly later than `moment`, in UTC.

    Args:
        expression: On the wall clock of the zone.
        zone: Whose clock it is.
        moment: Aware.

    Returns:
        `None` when there is none before the year 2200.
    """
    # A wall time that shows earlier than now may still lie ahead where the clocks are set back.
    local = moment.astimezone(zone).replace(tzinfo=None, fold=0)
    for wall in takewhile(lambda each: each.year <= _LAST_YEAR, expression.after(_before(local))):
        found = moment_of(wall, zone)
        if found > moment:
            return found
    return None


def last_moments(
    expression: CronExpression, zone: ZoneInfo, *, after: datetime, until: datetime, most: int
) -> list[datetime]:
    """Return the last moments of the expression in a span of time, in UTC, the earliest first.

    Args:
        expression: On the wall clock of the zone.
        zone: Whose clock it is.
        after: Aware; the moments are later.
        until: Aware; the moments are not later.
        most: How many at most; the cost is that of these, however long the span is.
    """
    found: list[datetime] = []
    # A wall time that shows later than now may have been where the clocks were set back.
    local = until.astimezone(zone).replace(tzinfo=None, fold=0) + _FURTHEST_BACK
    for wall in expression.before(local):
        moment = moment_of(wall, zone)
        if moment <= after or len(found) == most:
            break
        if moment <= until and moment not in found[-1:]:
            found.append(moment)
    return found[::-1]


def moment_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC moment at which a zone's clocks first show this time, or skip it."""
    first = wall.replace(tzinfo=zone, fold=0)
    moment = first.astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall:
        return moment
    # Before a leap the offset is the old one, after it the new one: in between the wall time does not exist.
    later, earlier = moment, wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _leap_between(earlier, later, zone)


def _before(local: datetime) -> datetime:
    """A minute earlier, so that what is due in this very minute is looked at too."""
    return local - timedelta(minutes=1)


def _leap_between(earlier: datetime, later: datetime, zone: ZoneInfo) -> datetime:
    """The moment between these two, to the minute, from which on the zone has its new offset."""
    new = later.astimezone(zone).utcoffset()
    low, high = earlier, later
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (low, middle) if middle.astimezone(zone).utcoffset() == new else (middle, high)
    return high.replace(microsecond=0)
