"""The diagram that a file has of its own, where it has a place for everything that can run."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from schemas.core.bpmn.model import BpmnModel, XmlNode
from tools.diagrams import measures
from tools.diagrams.diagram import Diagram, Edge, Shape
from tools.diagrams.elements import Elements, elements_of
from tools.diagrams.geometry import Bounds, Point
from tools.diagrams.interchange.names import (
    BOUNDS,
    EDGE,
    ELEMENT,
    EXPANDED,
    HORIZONTAL,
    LABEL,
    PLANE,
    SHAPE,
    WAYPOINT,
)
from tools.diagrams.layout.labels import labels_along

_FARTHEST: Final = 100_000.0
"""From the origin; what is beyond is no place in a picture that anybody sees."""
_APART: Final = 60.0
"""Between the planes of a file, which are drawn beneath one another."""


@dataclass(slots=True)
class _Read:
    """What the planes of a file say, each element once."""

    elements: Elements
    shapes: dict[str, Shape] = field(default_factory=dict)
    edges: dict[str, Edge] = field(default_factory=dict)
    plane_of: dict[str, int] = field(default_factory=dict)
    collapsed: set[str] = field(default_factory=set)

    def covers_all(self) -> bool:
        """Whether each node and flow has a place, and none would lie on a frame that is closed."""
        known = self.shapes.keys() | self.edges.keys()
        needed = [*self.elements.nodes, *self.elements.flows]
        return bool(needed) and all(name in known and not self._is_hidden(name) for name in needed)

    def _is_hidden(self, name: str) -> bool:
        frame = self.elements.around.get(name)
        return (
            frame is not None and frame in self.collapsed and self.plane_of.get(frame) == self.plane_of[name]
        )


def own_diagram(model: BpmnModel) -> Diagram | None:
    """The diagram of the file, its planes beneath one another; none where a node or a flow has no place in it."""
    read = _Read(elements_of(model))
    top = 0.0
    for number, plane in enumerate(_planes(model.diagrams)):
        diagram = _plane(plane, read)
        moved = diagram if number == 0 else diagram.moved(0, top - diagram.bounds.y)
        for shape in moved.shapes:
            read.shapes[shape.element] = shape
            read.plane_of[shape.element] = number
        for edge in moved.edges:
            read.edges[edge.element] = edge
            read.plane_of[edge.element] = number
        if diagram.shapes:
            top = moved.bounds.bottom + _APART
    return _whole(read) if read.covers_all() else None


def _planes(diagrams: tuple[XmlNode, ...]) -> Iterator[XmlNode]:
    return (plane for diagram in diagrams for plane in diagram.children if plane.tag == PLANE)


def _plane(plane: XmlNode, read: _Read) -> Diagram:
    """What a plane has places for, of the elements that were not in one before it."""
    shapes: list[Shape] = []
    edges: list[Edge] = []
    for drawn in plane.children:
        name = drawn.attributes.get(ELEMENT)
        if name is None or name in read.plane_of:
            continue
        if drawn.tag == SHAPE and (bounds := _bounds(drawn)) is not None and _is_shown(name, read.elements):
            shapes.append(_shape(name, bounds, drawn, read))
        elif drawn.tag == EDGE and (line := _line(drawn)) is not None:
            edges.append(Edge(element=name, line=line, label=_label(_caption(name, read.elements), drawn)))
    return Diagram(shapes=tuple(shapes), edges=tuple(edges))


def _is_shown(name: str, elements: Elements) -> bool:
    return any(
        name in known for known in (elements.nodes, elements.lanes, elements.participants, elements.artifacts)
    )


def _shape(name: str, bounds: Bounds, drawn: XmlNode, read: _Read) -> Shape:
    node = read.elements.nodes.get(name)
    if drawn.attributes.get(EXPANDED) == "false":
        read.collapsed.add(name)
    laid = name in read.elements.lanes or name in read.elements.participants
    return Shape(
        element=name,
        bounds=bounds,
        label=None
        if laid or (node is not None and not measures.has_label(node))
        else _label(_caption(name, read.elements), drawn),
        horizontal=drawn.attributes.get(HORIZONTAL) != "false" if laid else None,
    )


def _caption(name: str, elements: Elements) -> str:
    if name in elements.nodes:
        return measures.caption_of(elements.nodes[name])
    if name in elements.flows:
        return measures.flow_caption_of(elements.flows[name])
    if name in elements.message_flows:
        return elements.message_flows[name].name
    return elements.artifacts[name].attributes.get("name", "") if name in elements.artifacts else ""


def _label(caption: str, drawn: XmlNode) -> Bounds | None:
    """The place of a name: its middle and upper border are the file's, its size is that of our letters."""
    given = next((_bounds(child) for child in drawn.children if child.tag == LABEL), None)
    if given is None:
        return None
    size = measures.label_size(caption, max(given.width, measures.LABEL_WIDTH))
    return size and Bounds(given.center.x - size[0] / 2, given.y, *size)


def _bounds(drawn: XmlNode) -> Bounds | None:
    """The rectangle of a shape or a label; none where it has none that can be drawn."""
    given = next((child.attributes for child in drawn.children if child.tag == BOUNDS), {})
    numbers = [_number(given.get(name)) for name in ("x", "y", "width", "height")]
    x, y, width, height = numbers
    if x is None or y is None or width is None or height is None or width <= 0 or height <= 0:
        return None
    return Bounds(x, y, width, height)


def _line(drawn: XmlNode) -> tuple[Point, ...] | None:
    points: list[Point] = []
    for child in drawn.children:
        if child.tag == WAYPOINT:
            x, y = _number(child.attributes.get("x")), _number(child.attributes.get("y"))
            if x is None or y is None:
                return None
            points.append(Point(x, y))
    return tuple(points) if len(points) > 1 else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and abs(number) <= _FARTHEST else None


def _whole(read: _Read) -> Diagram:
    """All planes in one, what is around others first; a flow with a name and no place for it is given one."""
    elements = read.elements
    open_frames = {
        frame
        for name, frame in elements.around.items()
        if name in elements.nodes and read.plane_of.get(frame) == read.plane_of[name]
    }
    shapes = [replace(shape, expanded=_is_open(shape, open_frames, read)) for shape in read.shapes.values()]
    shapes.sort(key=lambda shape: _depth(shape.element, elements))
    lines = {name: edge.line for name, edge in read.edges.items()}
    captions = {name: _caption(name, elements) for name, edge in read.edges.items() if edge.label is None}
    obstacles = [
        one
        for shape in shapes
        if shape.element in elements.nodes and not shape.expanded
        for one in (shape.bounds, shape.label)
        if one is not None
    ]
    labels = labels_along(lines, captions, obstacles)
    edges = (replace(edge, label=edge.label or labels.get(name)) for name, edge in read.edges.items())
    return Diagram(shapes=tuple(shapes), edges=tuple(edges))


def _is_open(shape: Shape, open_frames: set[str], read: _Read) -> bool:
    """Whether what is in a frame, a pool or a lane is drawn in it."""
    pool = read.elements.participants.get(shape.element)
    if pool is not None:
        return pool.process is not None
    lane = read.elements.lanes.get(shape.element)
    return bool(lane.lanes) if lane is not None else shape.element in open_frames


def _depth(name: str, elements: Elements) -> tuple[int, int]:
    """Pools, lanes, frames from the outermost one on, and last what is at a border."""
    if name in elements.participants:
        return -2, 0
    if name in elements.lanes:
        return -1, 0
    depth = 0
    node = elements.nodes.get(name)
    around = elements.around.get(name)
    while around is not None:
        depth += 1
        around = elements.around.get(around)
    return depth, int(node is not None and node.attached_to is not None)
