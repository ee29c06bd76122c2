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

    def delay(self, tries: int) -> timedelta | None:
        """Return the wait before the next try after `tries` failed ones (≥ 1); `None` when none is left."""
        if tries > self.max_retries:
            return None
        longest = max(self.longest_delay_ms, self.delay_ms)
        try:
            grown = self.delay_ms * self.backoff ** (tries - 1)
        except OverflowError:
            grown = longest
        return timedelta(milliseconds=min(grown, longest))


NO_RETRY = RetryPolicy(max_retries=0)
"""For what a repetition cannot mend."""
