"""When requests of an open load are due: as independent callers come, whatever became of those before."""

import random
from collections.abc import Iterator


def arrivals(rate: float, seconds: float, *, seed: int) -> Iterator[float]:
    """Moments in seconds from the start, in order and below `seconds`: a Poisson process of so many a second.

    The same seed gives the same moments, so that two runs compare.
    """
    chance = random.Random(seed)  # noqa: S311 - a load, not a secret
    moment = chance.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += chance.expovariate(rate)
