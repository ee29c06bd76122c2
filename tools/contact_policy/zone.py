"""The customer's time zone."""

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DEFAULT_ZONE: Final = "Asia/Shanghai"
"""All of China legally keeps this time."""


def customer_zone(name: str | None, *, default: str = DEFAULT_ZONE) -> ZoneInfo:
    """Return the zone of an order's `metadata.timezone`, or the default where it names none.

    Raises:
        ValueError: the name is not one of the IANA time zone database.
    """
    wanted = name or default
    try:
        return ZoneInfo(wanted)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{wanted!r:.60} is not a time zone; write an IANA name such as {DEFAULT_ZONE}"
        ) from error
