"""SVG elements as text; whatever comes from a model is escaped here and nowhere else."""

import re
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from tools.diagrams.geometry import Bounds, Point, written
from tools.diagrams.text import LINE_HEIGHT

FONT: Final = (
    "'Noto Sans SC', 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', 'Segoe UI', Arial, sans-serif"
)
INK: Final = "#22313f"
PAPER: Final = "#ffffff"
_ILLEGAL: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 may not have, escaped or not."""
_BASELINE: Final = 0.82
"""From the top of a line of text to where its letters stand, in ems."""
_ROUND: Final = 6.0
"""The radius of a line's corners."""

Value = str | float


def element(name: str, *children: str, **attributes: Value | None) -> str:
    """An element with its attributes; `_` stands for `-`, a last one is dropped, and none is left out."""
    given = "".join(
        f" {key.rstrip('_').replace('_', '-')}={_quoted(value)}"
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{given}>{''.join(children)}</{name}>" if children else f"<{name}{given}/>"


def text_content(text: str) -> str:
    """Text as it stands between tags."""
    return escape(_ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text))


def rectangle(bounds: Bounds, radius: float = 0.0, **attributes: Value | None) -> str:
    """A rectangle, its corners rounded."""
    return element(
        "rect",
        x=bounds.x,
        y=bounds.y,
        width=bounds.width,
        height=bounds.height,
        rx=radius or None,
        **attributes,
    )


def circle(center: Point, radius: float, **attributes: Value | None) -> str:
    """A circle."""
    return element("circle", cx=center.x, cy=center.y, r=radius, **attributes)


def path(at: Point, drawn: str, **attributes: Value | None) -> str:
    """A path that is written around (0, 0)."""
    return element("path", d=drawn, transform=f"translate({written(at.x)} {written(at.y)})", **attributes)


def outline_of(line: Sequence[Point]) -> str:
    """The path of a line with its corners rounded."""
    drawn = [f"M{_pair(line[0])}"]
    for before, corner, after in zip(line, line[1:], line[2:], strict=False):
        radius = min(_ROUND, _length(before, corner) / 2, _length(corner, after) / 2)
        drawn.append(f"L{_pair(_towards(corner, before, radius))}")
        drawn.append(f"Q{_pair(corner)} {_pair(_towards(corner, after, radius))}")
    return " ".join([*drawn, f"L{_pair(line[-1])}"])


def text_lines(lines: Sequence[str], center: Point, size: float, **attributes: Value | None) -> str:
    """Lines of text beneath one another around a point."""
    top = center.y - len(lines) * size * LINE_HEIGHT / 2
    spans = [
        element(
            "tspan",
            text_content(line),
            x=center.x,
            y=top + (at * LINE_HEIGHT + _BASELINE + (LINE_HEIGHT - 1) / 2) * size,
        )
        for at, line in enumerate(lines)
    ]
    return element("text", *spans, font_size=size, text_anchor="middle", fill=INK, **attributes)


def _quoted(value: Value) -> str:
    text = value if isinstance(value, str) else written(value)
    return quoteattr(_ILLEGAL.sub("\N{REPLACEMENT CHARACTER}", text))


def _pair(point: Point) -> str:
    return f"{written(point.x)} {written(point.y)}"


def _length(start: Point, end: Point) -> float:
    return float(((start.x - end.x) ** 2 + (start.y - end.y) ** 2) ** 0.5)


def _towards(start: Point, end: Point, distance: float) -> Point:
    """The point at that distance from the start on the way to the end."""
    share = distance / (_length(start, end) or 1.0)
    return Point(start.x + (end.x - start.x) * share, start.y + (end.y - start.y) * share)
