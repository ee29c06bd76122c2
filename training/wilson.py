"""Wilson's confidence interval for a share of right decisions (Wilson 1927)."""

import math
from dataclasses import dataclass
from typing import Final

_Z: Final = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The 95 % confidence interval of a share; both ends lie between 0 and 1."""

    low: float
    high: float


def wilson(right: int, count: int) -> Interval:
    """Return the 95 % interval of a share of which `right` of `count` were seen; of nothing, 0 to 1.

    Raises:
        ValueError: not 0 ≤ right ≤ count.
    """
    if not 0 <= right <= count:
        raise ValueError(f"{right} of {count} is no share")
    if count == 0:
        return Interval(0.0, 1.0)
    share, square = right / count, _Z * _Z
    centre = share + square / (2 * count)
    reach = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    scale = 1 + square / count
    return Interval(max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale))


def still_needed(right: int, count: int, *, least: float) -> int:
    """Return how many more right decisions raise the interval's low end to `least` (below 1).

    Raises:
        ValueError: not 0 ≤ right ≤ count, or `least` is not below 1.
    """
    if not least < 1:
        raise ValueError("certainty is never proven; ask for less than 1")
    if wilson(right, count).low >= least:
        return 0
    more = 1
    while wilson(right + more, count + more).low < least:
        more *= 2
    enough, short = more, more // 2
    while enough - short > 1:
        middle = (enough + short) // 2
        if wilson(right + middle, count + middle).low < least:
            short = middle
        else:
            enough = middle
    return enough
