"""How far a run has come, in a picture: colours, counts, and what they mean."""

from dataclasses import dataclass
from typing import Final

from tools.diagrams.geometry import Bounds, Point
from tools.diagrams.position import NodeCounts, NodeState
from tools.diagrams.svg.markup import INK, PAPER, element, path, rectangle, text_content
from tools.diagrams.text import width_of


@dataclass(frozen=True, slots=True)
class Look:
    """The colours of a shape and the width of its border, more than usual."""

    fill: str
    stroke: str
    thicker: float = 0.0


PLAIN: Final = Look(PAPER, INK)
_LOOKS: Final = {
    NodeState.DONE: Look("#e2f3e4", "#2e7d32", 0.5),
    NodeState.OPEN: Look("#fff1cc", "#a85d00", 1.5),
    NodeState.FAILED: Look("#fde3e0", "#b3261e", 1.5),
}
_SIGNS: Final = {
    NodeState.DONE: "M-3.5 0L-1 3L4 -3.5",
    NodeState.OPEN: "M-2.5 -4L3.5 0L-2.5 4Z",
    NodeState.FAILED: "M-3 -3L3 3 M3 -3L-3 3",
}
"""So that states are told apart without colours, too."""
_NAMES: Final = {
    NodeState.DONE: "已完成 done",
    NodeState.OPEN: "进行中 open",
    NodeState.FAILED: "失败 failed",
}
_HEIGHT: Final = 16.0
_SIZE: Final = 10.5
LEGEND_HEIGHT: Final = 40.0


def look_of(counts: NodeCounts | None) -> Look:
    """The look of a node."""
    state = None if counts is None else counts.state
    return PLAIN if state is None else _LOOKS[state]


def badges(counts: NodeCounts, bounds: Bounds) -> str:
    """How often a node is done, open and failed, at its upper right corner."""
    drawn = []
    right = bounds.right + 8
    for state, count in (
        (NodeState.FAILED, counts.failed),
        (NodeState.OPEN, counts.open),
        (NodeState.DONE, counts.done),
    ):
        if count:
            width = 20 + width_of(str(count), _SIZE)
            drawn.append(
                _badge(state, str(count), Bounds(right - width, bounds.y - _HEIGHT / 2, width, _HEIGHT))
            )
            right -= width + 3
    return "".join(drawn)


def legend(at: Point) -> str:
    """What the colours and signs mean."""
    drawn = []
    left = at.x
    for state in NodeState:
        name = _NAMES[state]
        drawn.append(_badge(state, "", Bounds(left, at.y, 20, _HEIGHT)))
        drawn.append(_written(name, Point(left + 26, at.y + 12), INK, 11, "start"))
        left += 26 + width_of(name, 11) + 20
    return element("g", *drawn, class_="legend")


def _badge(state: NodeState, count: str, bounds: Bounds) -> str:
    look = _LOOKS[state]
    middle = bounds.center.y
    sign = path(
        Point(bounds.x + 10, middle),
        _SIGNS[state],
        fill=PAPER if state is NodeState.OPEN else "none",
        stroke=PAPER,
        stroke_width=1.8 if state is not NodeState.OPEN else None,
    )
    box = rectangle(bounds, _HEIGHT / 2, fill=look.stroke, stroke=PAPER, stroke_width=1)
    written = _written(count, Point(bounds.right - 5, middle + 3.8), PAPER, _SIZE, "end") if count else ""
    return element("g", box, sign, written, class_=f"count {state.value}")


def _written(text: str, at: Point, fill: str, size: float, anchor: str) -> str:
    return element("text", text_content(text), x=at.x, y=at.y, fill=fill, font_size=size, text_anchor=anchor)
