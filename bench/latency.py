"""Latencies and HTTP codes of a run of requests."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the percentile by nearest rank.

    Raises:
        ValueError: there are none, or the share is not above 0 and at most 1.
    """
    if not ordered or not 0 < share <= 1:
        raise ValueError("a percentile is of at least one figure, and its share above 0 and at most 1")
    return ordered[math.ceil(share * len(ordered)) - 1]


@dataclass(slots=True)
class Answers:
    """The answers to one kind of request: latencies in seconds from the due time, and HTTP codes."""

    seconds: list[float] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def note(self, seconds: float, code: str) -> None:
        """Add an answer; the latency of a failed one counts too."""
        self.seconds.append(seconds)
        self.codes[code] += 1

    def milliseconds(self) -> tuple[float, float, float, float]:
        """P50, P95, P99 and the longest.

        Raises:
            ValueError: nothing was answered.
        """
        ordered = sorted(self.seconds)
        return (
            percentile(ordered, 0.5) * 1000,
            percentile(ordered, 0.95) * 1000,
            percentile(ordered, 0.99) * 1000,
            percentile(ordered, 1.0) * 1000,
        )

    def others(self, expected: str = "200") -> dict[str, int]:
        """Count the unexpected answers by code."""
        return {code: count for code, count in sorted(self.codes.items()) if code != expected}
