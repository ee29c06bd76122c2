"""The delay before a process that died is restarted. Pure: the time is an argument."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

FIRST_DELAY: Final = 0.2
LONGEST_DELAY: Final = 10.0
STEADY_AFTER: Final = 30.0
FAILING_DEATHS: Final = 8
FAILING_WINDOW: Final = 60.0


@dataclass(slots=True)
class Backoff:
    """The deaths of one process since it was last steady. All times are seconds of one monotonic clock."""

    _deaths: int = 0
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=FAILING_DEATHS))
    _failing: bool = False

    @property
    def failing(self) -> bool:
        """Whether it died 8 times in a row within a minute and has not been steady since."""
        return self._failing

    def died(self, now: float, alive: float) -> float:
        """Count a death and return the seconds to wait: 0.2 doubling to 10, and 10 while it is failing.

        Args:
            now: The time of the death.
            alive: How long the process lived; 30 s or more end the row of deaths before this one.
        """
        if alive >= STEADY_AFTER:
            self.steady()
        self._deaths += 1
        self._recent.append(now)
        if len(self._recent) == FAILING_DEATHS and now - self._recent[0] <= FAILING_WINDOW:
            self._failing = True
        if self._failing:
            return LONGEST_DELAY
        # The exponent is bounded so that thousands of deaths do not overflow a float.
        return min(FIRST_DELAY * 2.0 ** min(self._deaths - 1, 16), LONGEST_DELAY)

    def steady(self) -> None:
        """Forget the deaths: the process has been alive for 30 s."""
        self._deaths = 0
        self._recent.clear()
        self._failing = False
