"""Lines over days."""

from collections.abc import Sequence
from typing import Final

from tools.charts.chart import Trends
from tools.charts.markup import (
    WIDTH,
    axis_width,
    framed,
    label_axis,
    legend_of,
    line,
    named,
    value_axis,
)
from tools.charts.palette import SeriesLook, look_of
from tools.charts.scale import scale_of
from tools.diagrams.geometry import Bounds, Point, written
from tools.diagrams.svg.markup import element

_PLOT_HEIGHT: Final = 130.0
_MARKS: Final = (
    "M-3 0A3 3 0 1 0 3 0A3 3 0 1 0 -3 0Z",
    "M-3 -3H3V3H-3Z",
    "M0 -4L4 3H-4Z",
    "M0 -4L4 0L0 4L-4 0Z",
    "M0 4L4 -3H-4Z",
    "M-4 -1H-1V-4H1V-1H4V1H1V4H-1V1H-4Z",
)
"""A form for each series, so that nobody has to tell colours apart."""


def trends_drawn(chart: Trends, font: str) -> str:
    """The lines of the series, a mark for each day; where there is no number, the line has a gap."""
    looks = [look_of(at) for at in range(len(chart.series))]
    entries, top = legend_of([each.name for each in chart.series], looks, 0.0)
    values = [value for each in chart.series for value in each.values if value is not None]
    scale = scale_of(max(values, default=0.0), whole=not chart.unit)
    left = axis_width(scale, chart.unit)
    plot = Bounds(left, top + 10, WIDTH - left - 8, _PLOT_HEIGHT)
    apart = plot.width / max(1, len(chart.labels) - 1)
    places = [plot.x + apart * at for at in range(len(chart.labels))]
    if len(places) == 1:
        places = [plot.x + plot.width / 2]
    drawn = [
        element("g", _key(entry.at, at, looks[at]), named(entry), class_="legend")
        for at, entry in enumerate(entries)
    ]
    for at, each in enumerate(chart.series):
        points = [
            None if value is None else Point(x, plot.bottom - plot.height * value / scale.most)
            for x, value in zip(places, each.values, strict=True)
        ]
        drawn.append(_line_of(points, at, looks[at]))
    axes = value_axis(scale, plot, chart.unit), label_axis(chart.labels, places, plot)
    return framed(chart, "trends", font, plot.bottom + 24, *axes, *drawn)


def _line_of(points: Sequence[Point | None], at: int, look: SeriesLook) -> str:
    pieces: list[str] = []
    begun = False
    for point in points:
        if point is not None:
            pieces.append(f"{'L' if begun else 'M'}{written(point.x)} {written(point.y)}")
        begun = point is not None
    way = element(
        "path",
        d="".join(pieces),
        fill="none",
        stroke=look.colour,
        stroke_width=2,
        stroke_linejoin="round",
        stroke_dasharray=look.dashes,
        class_=f"{look.class_} stroked",
    )
    marks = [_mark(point, at, look) for point in points if point is not None]
    return element("g", *([way] if pieces else []), *marks, class_="series") if marks else ""


def _mark(point: Point, at: int, look: SeriesLook) -> str:
    place = f"translate({written(point.x)} {written(point.y)})"
    return element("path", d=_MARKS[at], transform=place, fill=look.colour, class_=f"{look.class_} filled")


def _key(at: Point, series: int, look: SeriesLook) -> str:
    way = line(
        at,
        at.moved(18, 0),
        stroke=look.colour,
        stroke_width=2,
        stroke_dasharray=look.dashes,
        class_=f"{look.class_} stroked",
    )
    return way + _mark(at.moved(9, 0), series, look)
