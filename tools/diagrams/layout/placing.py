"""One level of a diagram placed in layers from left to right, by the library `graphlay`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any, Final

import graphlay

from tools.diagrams.geometry import Bounds, Line, Point, straightened

_OPTIONS: Final[Mapping[str, Any]] = {
    "cycles": {"strategy": "follow_flow"},
    "spacing": {"layer_gap": 60.0, "node_gap": 46.0, "stub": 24.0, "port_gap": 14.0},
    "routing": {"merge_edges": "none"},
    "labels": {"reservation": "always", "placement": "gap_centre"},
    "order": {
        "group_lanes": "strict",
        "group_lane_budget_percent": 100,
        "group_lane_area_percent": 100,
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What is to be placed."""

    id: str
    width: float
    height: float
    below: float = 0.0
    """Room that is kept free beneath it."""
    beside: float = 0.0
    """Room that is kept free at its left and its right."""
    first: bool = False
    """That it stands in the leftmost layer."""
    band: int | None = None
    """The band in which it stands with others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What leads from one box to another, or only keeps them in that order."""

    id: str
    source: str
    target: str
    below: float | None = None
    """Where at the lower border it begins, from -1 (left) to 1; none: wherever it is best."""
    label: tuple[float, float] | None = None
    """Width and height of what is to be written on it, for which room is left."""


@dataclass(frozen=True, slots=True)
class Placed:
    """Boxes and links by their ids with their places."""

    boxes: dict[str, Bounds]
    lines: dict[str, Line]


def place(boxes: Sequence[Box], links: Sequence[Link]) -> Placed:
    """The boxes in layers, so that links lead to the right but for those that close a circle; no two overlap."""
    if not boxes:
        return Placed({}, {})
    at = {box.id: index for index, box in enumerate(boxes)}
    drawn = graphlay.layout(
        {
            "nodes": [_node(box, at[box.id]) for box in boxes],
            "edges": [_edge(link, at) for link in links],
        },
        preset="layered",
        options=_OPTIONS,
    )
    bounds = {
        box.id: Bounds(
            _whole(node["center"]["x"] - box.width / 2),
            _whole(node["center"]["y"] - box.height / 2),
            box.width,
            box.height,
        )
        for box, node in zip(boxes, drawn.nodes, strict=True)
    }
    lines = {link.id: _line(edge) for link, edge in zip(links, drawn.edges, strict=True)}
    return Placed(bounds, lines)


def _node(box: Box, number: int) -> dict[str, Any]:
    node: dict[str, Any] = {
        "key": str(number),
        "size": {"width": box.width, "height": box.height},
        "shape": "box",
        "margin": {"left": box.beside, "right": box.beside, "top": 0.0, "bottom": box.below},
        "rank": "first" if box.first else "free",
    }
    return node if box.band is None else node | {"group": box.band}


def _edge(link: Link, at: Mapping[str, int]) -> dict[str, Any]:
    edge: dict[str, Any] = {"source": at[link.source], "target": at[link.target], "weight": 1.0}
    if link.below is not None:
        edge["source_port"] = {"offset": {"side": "bottom", "t": link.below}}
    if link.label is not None:
        edge["label_size"] = {"width": link.label[0], "height": link.label[1]}
    return edge


def _whole(pixels: float) -> int:
    """A half goes up: by `round` it would go down for one border of a box of odd width, and up for the other."""
    return floor(pixels + 0.5)


def _line(edge: Mapping[str, Any]) -> Line:
    """The line in whole pixels, each of its pieces horizontal or vertical."""
    points: list[Point] = []
    for given in edge["points"]:
        point = Point(_whole(given["x"]), _whole(given["y"]))
        if points and 0 < abs(point.x - points[-1].x) <= 1:
            point = Point(points[-1].x, point.y)
        if points and 0 < abs(point.y - points[-1].y) <= 1:
            point = Point(point.x, points[-1].y)
        if points and point.x != points[-1].x and point.y != points[-1].y:
            # Lines that meet at one place are given short slanting pieces; a corner does as well.
            points.append(Point(point.x, points[-1].y))
        points.append(point)
    return straightened(points)
