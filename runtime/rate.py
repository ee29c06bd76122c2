"""Parses rates such as `500/second;20000/minute`, each a number of requests in a time window."""

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

LONGEST_RATE: Final = 64
"""Characters a rate may be written in."""

_SECONDS: Final = MappingProxyType({"second": 1, "minute": 60, "hour": 3600, "day": 86_400})
_WINDOW: Final = re.compile(r"\s*(\d{1,9})\s*/\s*(second|minute|hour|day)\s*", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class RateWindow:
    """A number of requests within a number of seconds."""

    seconds: int
    requests: int


def read_rate(text: str) -> tuple[RateWindow, ...]:
    """Parse the windows of a rate, the shortest first.

    Raises:
        ValueError: it is not written so; says how it is.
    """
    found = [_WINDOW.fullmatch(part) for part in text.split(";")]
    if len(text) > LONGEST_RATE or not all(found):
        raise ValueError(_wrong())
    windows = tuple(sorted(RateWindow(_SECONDS[match[2]], int(match[1])) for match in found if match))
    if any(window.requests == 0 for window in windows):
        raise ValueError("a rate of 0 lets nothing through; revoke the key instead")
    return windows


def _wrong() -> str:
    return (
        f"is not a rate: write requests per {', '.join(_SECONDS)}, several separated by ';', "
        f"in {LONGEST_RATE} characters: 500/second;20000/minute"
    )
