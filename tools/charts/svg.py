"""A chart as SVG: valid under a policy that allows neither styles nor scripts, the same bytes for the same numbers."""

from tools.charts.chart import Chart, Hours, Shares, Trends
from tools.charts.hours import hours_drawn
from tools.charts.shares import shares_drawn
from tools.charts.trends import trends_drawn
from tools.diagrams.svg.markup import FONT


def svg_of(chart: Chart, *, font: str = FONT) -> str:
    """The picture, to stand within a page or in a file of its own; `font` names families as CSS does."""
    match chart:
        case Trends():
            return trends_drawn(chart, font)
        case Hours():
            return hours_drawn(chart, font)
        case Shares():
            return shares_drawn(chart, font)
