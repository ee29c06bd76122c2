"""The circuit breaker of a subscriber: one that fails gets few tries, so that it slows nobody else."""

from dataclasses import dataclass
from typing import Final

FAILURES_TO_OPEN: Final = 5
"""Failed tries in a row after which a subscriber is left alone for a while."""

_FIRST_PAUSE_SECONDS: Final = 5.0
_LONGEST_PAUSE_SECONDS: Final = 300.0


@dataclass(slots=True)
class Circuit:
    """The recent results of one subscriber in this process. Times are monotonic seconds."""

    most_at_once: int
    under_way: int = 0
    failures: int = 0
    paused_until: float = 0.0

    @property
    def is_open(self) -> bool:
        """Whether it failed so often in a row that only single tries are made, with pauses between."""
        return self.failures >= FAILURES_TO_OPEN

    def room(self, now: float) -> int:
        """How many more may be sent to it now."""
        if not self.is_open:
            return self.most_at_once - self.under_way
        return 0 if now < self.paused_until else 1 - min(self.under_way, 1)

    def note(self, now: float, *, delivered: bool) -> None:
        """A try that was under way has ended."""
        self.under_way -= 1
        if delivered:
            self.failures = 0
            return
        self.failures += 1
        if self.is_open:
            doublings = min(self.failures - FAILURES_TO_OPEN, 10)
            self.paused_until = now + min(_FIRST_PAUSE_SECONDS * 2**doublings, _LONGEST_PAUSE_SECONDS)
