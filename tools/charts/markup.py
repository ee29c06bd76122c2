"""What all charts are made of: the frame with its title, axes, a legend."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tools.charts.chart import Captioned
from tools.charts.palette import SeriesLook
from tools.charts.scale import Scale, number
from tools.diagrams.geometry import Bounds, Point
from tools.diagrams.svg.markup import Value, element, text_content
from tools.diagrams.text import width_of

WIDTH: Final = 360.0
"""So wide is a chart in its own units: on the narrowest screen these are its pixels."""
TEXT_SIZE: Final = 11.0
_INK: Final = "currentColor"
_FAINT: Final = 0.25
_KEY: Final = 18.0
"""The width of a series' key in a legend."""
_GAP: Final = 14.0
LEGEND_LINE: Final = 18.0
_HALF_LETTER: Final = 0.36
"""From the middle of a small line of text down to where its letters stand, in ems."""


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A name, the key before it, and where both stand."""

    name: str
    look: SeriesLook
    at: Point


def framed(chart: Captioned, kind: str, font: str, height: float, *drawn: str) -> str:
    """The whole picture: as wide as its place lets it be, named for who cannot see it."""
    return element(
        "svg",
        element("title", text_content(chart.title)),
        element("desc", text_content(chart.description)),
        *drawn,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH:g} {height:g}",
        width="100%",
        role="img",
        class_=f"chart chart-{kind}",
        font_family=font,
        font_size=TEXT_SIZE,
        fill=_INK,
    )


def label(text: str, at: Point, anchor: str = "start", **attributes: Value | None) -> str:
    """A line of text; its middle is as high as the point."""
    return element(
        "text",
        text_content(text),
        x=at.x,
        y=at.y + _HALF_LETTER * TEXT_SIZE,
        text_anchor=None if anchor == "start" else anchor,
        **attributes,
    )


def line(start: Point, end: Point, **attributes: Value | None) -> str:
    """A straight line."""
    return element("line", x1=start.x, y1=start.y, x2=end.x, y2=end.y, **attributes)


def value_axis(scale: Scale, plot: Bounds, unit: str) -> str:
    """The numbers on the left, with a faint line each."""
    drawn = []
    for tick in scale.ticks:
        y = plot.bottom - plot.height * tick / scale.most
        faint = _FAINT if tick else 0.8
        ends = Point(plot.x, y), Point(plot.right, y)
        drawn.append(line(*ends, stroke=_INK, stroke_opacity=faint, stroke_width=1))
        drawn.append(label(f"{number(tick)}{unit}", Point(plot.x - 5, y), "end"))
    return element("g", *drawn, class_="axis")


def axis_width(scale: Scale, unit: str) -> float:
    """How much room the numbers on the left take."""
    return 8 + max(width_of(f"{number(tick)}{unit}", TEXT_SIZE) for tick in scale.ticks)


def label_axis(labels: Sequence[str], places: Sequence[float], plot: Bounds) -> str:
    """The labels beneath: the last one, and before it as many as have room."""
    drawn = []
    free = WIDTH
    for text, x in reversed(list(zip(labels, places, strict=True))):
        half = width_of(text, TEXT_SIZE) / 2
        # The outermost may be moved a little, so that nothing is cut off.
        x = min(x, WIDTH - half)  # noqa: PLW2901 - the place where there is room for it
        if x + half > free:
            continue
        drawn.append(label(text, Point(x, plot.bottom + 13), "middle"))
        free = x - half - 8
    return element("g", *reversed(drawn), class_="axis")


def legend_of(
    names: Sequence[str], looks: Sequence[SeriesLook], top: float
) -> tuple[list[LegendEntry], float]:
    """Where the keys and names of the series stand, line after line, and where the legend ends."""
    entries = []
    x, y = 0.0, top + LEGEND_LINE / 2
    for name, look in zip(names, looks, strict=True):
        width = _KEY + 5 + width_of(name, TEXT_SIZE)
        if x and x + width > WIDTH:
            x, y = 0.0, y + LEGEND_LINE
        entries.append(LegendEntry(name, look, Point(x, y)))
        x += width + _GAP
    return entries, y + LEGEND_LINE / 2


def named(entry: LegendEntry) -> str:
    """The name of an entry of the legend, behind its key."""
    return label(entry.name, entry.at.moved(_KEY + 5, 0))


def swatch(entry: LegendEntry) -> str:
    """A key of a filled series."""
    return element(
        "rect",
        x=entry.at.x + 3,
        y=entry.at.y - 6,
        width=12.0,
        height=12.0,
        fill=entry.look.colour,
        class_=f"{entry.look.class_} filled",
    )
