"""Due times of an open load: a Poisson process, independent of the answers."""

import random
from collections.abc import Iterator


def arrivals(rate: float, seconds: float, *, seed: int) -> Iterator[float]:
    """Return the due times in seconds from the start, sorted, below `seconds`: a Poisson process of this rate.

    The same seed gives the same moments, so that two runs compare.
    """
    chance = random.Random(seed)  # noqa: S311 - a load, not a secret
    moment = chance.expovariate(rate)
    while moment < seconds:
        yield moment
        moment += chance.expovariate(rate)
