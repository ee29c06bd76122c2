"""`python -m bench.chaos.faults.shifted_clock HOURS NAME`: a process of the fleet whose clock is off by so much."""

import datetime as dt
import sys
import time
from typing import Any

_Real = dt.datetime
_seconds, _nanoseconds = time.time, time.time_ns


class _AnyDatetime(type):
    """What the C parts of the interpreter make are datetimes as well."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, _Real)


def shift(hours: float) -> None:
    """Let every clock that tells the time of day, in this process, be off by so many hours."""
    off = dt.timedelta(hours=hours)

    class Shifted(_Real, metaclass=_AnyDatetime):
        # What is made here is a datetime like any other: some libraries take no subclass.
        def __new__(cls, *given: Any, **named: Any) -> Any:
            return _Real(*given, **named)

        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Any:
            return _Real.now(tz) + off

        @classmethod
        def utcnow(cls) -> Any:
            return _Real.now(dt.UTC).replace(tzinfo=None) + off

    # Adapters are found by this name.
    Shifted.__module__, Shifted.__qualname__ = "datetime", "datetime"
    dt.datetime = Shifted  # type: ignore[misc]
    time.time = lambda: _seconds() + off.total_seconds()
    time.time_ns = lambda: _nanoseconds() + int(off.total_seconds()) * 10**9


if __name__ == "__main__":
    shift(float(sys.argv[1]))
    # Only now: what it imports takes the clock with it.
    from workers.__main__ import main

    raise SystemExit(main(sys.argv[2:]))
