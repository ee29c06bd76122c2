"""The colours and forms of series: on white and on near-black each has a contrast of three and more."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class SeriesLook:
    """How a series is drawn; the class lets a page give it a colour of its own."""

    class_: str
    colour: str
    dashes: str | None


_COLOURS: Final = ("#2f7fd1", "#c4681c", "#2c8f5e", "#a05fc0", "#d0476b", "#7a8490")
_DASHES: Final = (None, "6 3", "2 3", "9 3 2 3", "12 4", "1 2")


def look_of(at: int) -> SeriesLook:
    """The look of the series at this place, from 0."""
    return SeriesLook(f"series-{at + 1}", _COLOURS[at], _DASHES[at])
