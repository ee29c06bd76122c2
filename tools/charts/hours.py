"""Bars by hour."""

from typing import Final

from tools.charts.chart import Hours
from tools.charts.markup import WIDTH, axis_width, framed, label_axis, legend_of, named, swatch, value_axis
from tools.charts.palette import look_of
from tools.charts.scale import scale_of
from tools.diagrams.geometry import Bounds
from tools.diagrams.svg.markup import element

_PLOT_HEIGHT: Final = 130.0
_FILLED: Final = 0.74
"""So much of an hour's room its bar takes."""
_SEAM: Final = 1.0
"""Between two parts of a bar, so that they are told apart without colours."""


def hours_drawn(chart: Hours, font: str) -> str:
    """A bar for each hour, its parts on one another in the order of the series."""
    looks = [look_of(at) for at in range(len(chart.series))]
    entries, top = legend_of([each.name for each in chart.series], looks, 0.0)
    totals = [sum(each.values[at] or 0 for each in chart.series) for at in range(len(chart.labels))]
    scale = scale_of(max(totals), whole=not chart.unit)
    left = axis_width(scale, chart.unit)
    plot = Bounds(left, top + 10, WIDTH - left - 4, _PLOT_HEIGHT)
    room = plot.width / len(chart.labels)
    middles = [plot.x + room * (at + 0.5) for at in range(len(chart.labels))]
    drawn = [element("g", swatch(entry), named(entry), class_="legend") for entry in entries]
    below = [plot.bottom] * len(chart.labels)
    for each, look in zip(chart.series, looks, strict=True):
        bars = []
        for at, value in enumerate(each.values):
            if not value:
                continue
            height = plot.height * value / scale.most
            below[at] -= height
            bars.append(
                element(
                    "rect",
                    x=middles[at] - room * _FILLED / 2,
                    y=below[at],
                    width=room * _FILLED,
                    height=height - min(_SEAM, height / 2),
                    fill=look.colour,
                    class_=f"{look.class_} filled",
                )
            )
        if bars:
            drawn.append(element("g", *bars, class_="series"))
    axes = value_axis(scale, plot, chart.unit), label_axis(chart.labels, middles, plot)
    return framed(chart, "hours", font, plot.bottom + 24, *axes, *drawn)
