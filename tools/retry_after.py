"""Parses the Retry-After header of an HTTP answer, which may hold anything."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_of(value: str | None, *, at_most: float) -> float | None:
    """Return the seconds to wait by a Retry-After header (RFC 9110 §10.2.3); None when it is not usable."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), at_most)
    moment = moment_of(value)
    if moment is None:
        return None
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), at_most)


def moment_of(value: str) -> datetime | None:
    """Return the moment of an HTTP or mail date, in UTC where it names no zone; None when it is invalid."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        # A year or an offset that no integer of the machine holds is an OverflowError.
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
