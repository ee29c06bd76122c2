"""The retry policy of a step; the engine asks it, and owns every retry."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """At most `max_retries` more tries (seed 000 section 五).

    The first wait is `delay_ms`, each further one `backoff` times the last; they grow to `longest_delay_ms`
    at most, and never shrink below the first.
    """

    max_retries: int = 2
    delay_ms: int = 1000
    backoff: float = 1.0
    longest_delay_ms: int = 300_000
    jitter: float = 0.0
    """The part of each wait, 0 to 1, that is left to chance; the wait is never longer for it."""
    codes: tuple[str, ...] = ()
    """The failures it is for; none: all."""

    def delay(self, tries: int, chance: float = 0.0) -> timedelta | None:
        """Return the wait before the next try after `tries` failed ones (≥ 1); `None` when none is left.

        Args:
            tries: How many have failed.
            chance: From 0 to 1; how much of the jitter is taken off.
        """
        if tries > self.max_retries:
            return None
        longest = max(self.longest_delay_ms, self.delay_ms)
        try:
            grown = self.delay_ms * self.backoff ** (tries - 1)
        except OverflowError:
            grown = longest
        return timedelta(milliseconds=min(grown, longest) * (1 - self.jitter * chance))

    def fits(self, code: str) -> bool:
        """Whether it is for failures with this code."""
        return not self.codes or code in self.codes


NO_RETRY = RetryPolicy(max_retries=0)
"""For what a repetition cannot mend."""
