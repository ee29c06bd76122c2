"""The scale of an axis: round numbers from nothing to more than the largest value."""

import math
from dataclasses import dataclass
from typing import Final

_STEPS: Final = (1.0, 2.0, 5.0, 10.0)
_INTERVALS: Final = 4
"""About as many intervals as an axis has."""
_LEAST_STEP: Final = 0.1
"""As far as numbers are written."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 to `most`, in steps of `step`."""

    step: float
    intervals: int

    @property
    def most(self) -> float:
        """Where the axis ends."""
        return self.step * self.intervals

    @property
    def ticks(self) -> tuple[float, ...]:
        """The numbers that are written on the axis."""
        return tuple(self.step * at for at in range(self.intervals + 1))


def scale_of(largest: float, *, whole: bool) -> Scale:
    """The scale for values up to this one; with `whole` every step is a whole number."""
    if largest <= 0:
        return Scale(1.0, 1)
    rough = max(1.0 if whole else _LEAST_STEP, largest / _INTERVALS)
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * each for each in _STEPS if unit * each >= rough * (1 - 1e-9))
    return Scale(step, max(1, math.ceil(largest / step - 1e-9)))


def number(value: float) -> str:
    """A number as people read it: thousands apart, at most one digit behind the point."""
    rounded = round(value, 1)
    return f"{rounded:,.0f}" if rounded == int(rounded) else f"{rounded:,.1f}"
