"""Lets rows gather: a worker waits a moment before it begins a small message soon after the last one.

A message costs the same whatever it carries. A fleet that is half busy would spend its processors on messages of one
row each, and have none left for anybody else (docs/decisions/0006).
"""

import time
from collections.abc import Callable
from typing import Final

FEW: Final = 16
"""Rows a message may carry and still be worth waiting with; one of more is begun at once."""


class Pace:
    """Intervals, batch sizes and timeouts."""

    def __init__(
        self,
        seconds: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take how far the beginnings of two small messages are apart at least; 0 for no wait at all."""
        self._seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._began: float | None = None

    def keep(self, rows: int) -> None:
        """Return when a message of so many rows may be begun.

        The first one after a pause is never held up. Rows that come meanwhile wait in PostgreSQL and travel together.
        """
        if rows < FEW and self._began is not None:
            early = self._began + self._seconds - self._clock()
            if early > 0:
                self._sleep(early)
        self._began = self._clock()
