"""The moment another side wants to be asked again, out of a header it may have filled with anything."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_of(value: str | None, *, at_most: float) -> float | None:
    """Seconds to wait by a Retry-After header, in either of its forms (RFC 9110 §10.2.3); None without a usable one."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), at_most)
    moment = moment_of(value)
    if moment is None:
        return None
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), at_most)


def moment_of(value: str) -> datetime | None:
    """The moment a date of mail or HTTP names, in UTC where it names no zone; None when it names none that there is."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        # A year or an offset that no integer of the machine holds is an OverflowError.
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
