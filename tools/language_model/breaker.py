"""A circuit breaker: after repeated failures an endpoint is not called for a while."""

import threading
import time
from collections.abc import Callable
from typing import Final

FAILURES_TO_OPEN: Final = 5
"""Failures in a row after which nothing is asked."""

OPEN_SECONDS: Final = 60.0
"""How long nothing is asked then; after that one question at a time tries whether it answers again."""


class CircuitBreaker:
    """Counts consecutive failures; safe to share between threads. `now` gives monotonic seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are blocked now."""
        with self._lock:
            return self._failures >= FAILURES_TO_OPEN and self._now() < self._open_until

    def admits(self) -> bool:
        """Whether a call may be made now; the caller must then make it and `note` its result."""
        with self._lock:
            if self._failures < FAILURES_TO_OPEN:
                return True
            if self._now() < self._open_until:
                return False
            # This question is the trial. Should its outcome never be noted, another is let through in time.
            self._open_until = self._now() + OPEN_SECONDS
            return True

    def note(self, *, answered: bool) -> None:
        """Record whether an admitted call was answered."""
        with self._lock:
            if answered:
                self._failures = 0
                return
            self._failures += 1
            if self._failures >= FAILURES_TO_OPEN:
                self._open_until = self._now() + OPEN_SECONDS
