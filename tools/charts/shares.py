"""The parts of a whole, in one bar that lies."""

from typing import Final

from tools.charts.chart import Shares
from tools.charts.markup import LEGEND_LINE, WIDTH, LegendEntry, framed, label, named, swatch
from tools.charts.palette import look_of
from tools.charts.scale import number
from tools.diagrams.geometry import Point
from tools.diagrams.svg.markup import element

_BAR: Final = 26.0
_SEAM: Final = 2.0


def shares_drawn(chart: Shares, font: str) -> str:
    """The bar, and beneath it a line for each part: how many, and which share."""
    drawn = []
    x = 0.0
    top = _BAR + 8
    for at, (name, count) in enumerate(chart.parts):
        look = look_of(at)
        if count:
            width = WIDTH * count / chart.whole
            drawn.append(
                element(
                    "rect",
                    x=x,
                    y=0.0,
                    width=width - min(_SEAM, width / 2),
                    height=_BAR,
                    fill=look.colour,
                    class_=f"{look.class_} filled",
                )
            )
            x += width
        entry = LegendEntry(name, look, Point(0.0, top + LEGEND_LINE * (at + 0.5)))
        share = chart.share(count)
        told = number(count) if share is None else f"{number(count)} · {number(share)}%"
        value = label(told, Point(WIDTH, entry.at.y), "end")
        drawn.append(element("g", swatch(entry), named(entry), value, class_="legend"))
    if not chart.whole:
        empty = element(
            "rect", x=0.5, y=0.5, width=WIDTH - 1, height=_BAR - 1, fill="none", stroke="currentColor",
            stroke_opacity=0.5, stroke_dasharray="4 3",
        )  # fmt: skip
        drawn.insert(0, empty)
    return framed(chart, "shares", font, top + LEGEND_LINE * len(chart.parts) + 2, *drawn)
