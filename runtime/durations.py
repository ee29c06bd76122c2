"""Times as people write them: seconds, durations of ISO 8601, moments."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_DURATION: Final = re.compile(
    r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)
_LONGEST: Final = timedelta(days=3650)


class UnreadableTime(ValueError):
    """The value is no time; the message says what one looks like."""


def moment_after(now: datetime, written: object) -> datetime:
    """The moment that is meant: so many seconds from now, a duration such as `P3D`, or a moment.

    Years and months are left out of durations (ISO 8601): how long one is depends on where it begins.

    Raises:
        UnreadableTime: it is none of them, or lies more than ten years ahead.
    """
    found = _moment(now, written)
    if found - now > _LONGEST:
        raise UnreadableTime("a time lies more than ten years ahead")
    return found


def require_time(now: datetime, written: object) -> None:
    """Accept what `moment_after` understands, or nothing at all.

    Raises:
        UnreadableTime: it is neither.
    """
    if written is not None:
        moment_after(now, written)


def _moment(now: datetime, written: object) -> datetime:
    if (
        isinstance(written, (int, float))
        and not isinstance(written, bool)
        and 0 <= written <= _LONGEST.total_seconds()
    ):
        return now + timedelta(seconds=written)
    if isinstance(written, str):
        if (duration := _DURATION.fullmatch(written)) is not None and written not in ("P", "PT"):
            return now + timedelta(
                **{unit: float(count) for unit, count in duration.groupdict().items() if count}
            )
        try:
            found = datetime.fromisoformat(written)
        except ValueError as error:
            raise UnreadableTime(_WANTED) from error
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    raise UnreadableTime(_WANTED)


_WANTED: Final = (
    "a time is seconds, a duration such as PT2H or P3D, or a moment such as 2026-03-13T09:00:00+08:00"
)
