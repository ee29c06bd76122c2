"""A chart as SVG: valid under a policy that allows neither styles nor scripts, the same bytes for the same numbers."""

from tools.charts.chart import Chart, Hours, Shares, Trends
from tools.charts.hours import hours_drawn
from tools.charts.shares import shares_drawn
from tools.charts.trends import trends_drawn


def svg_of(chart: Chart) -> str:
    """The picture, to stand within a page or in a file of its own."""
    match chart:
        case Trends():
            return trends_drawn(chart)
        case Hours():
            return hours_drawn(chart)
        case Shares():
            return shares_drawn(chart)
