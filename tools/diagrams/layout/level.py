"""A process or a sub-process laid out: what is in it first, then it as one level."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from schemas.core.bpmn.model import ElementKind, FlowNode, Inside
from tools.diagrams import measures
from tools.diagrams.diagram import Diagram, Edge, Shape
from tools.diagrams.elements import Elements, association_key
from tools.diagrams.geometry import Bounds, Line, Point, crosses
from tools.diagrams.layout.labels import labels_along
from tools.diagrams.layout.placing import Box, Link, Placed, place
from tools.diagrams.layout.routing import DOWN, LEFT, RIGHT, UP, route

_APART: Final = 40.0
"""Between frames that nothing leads to."""
_FRAME: Final = (140.0, 100.0)
"""The least width and height of a frame."""
_KEEPING: Final = "keeping "
"""Of the id of a link that is not drawn."""


@dataclass(slots=True)
class _Level:
    """What is known of a level while it is laid out."""

    elements: Elements
    nodes: list[FlowNode]
    """What stands by itself: all but boundary events."""
    attached: dict[str, list[FlowNode]] = field(default_factory=dict)
    """Boundary events by their hosts."""
    frames: dict[str, Diagram] = field(default_factory=dict)
    bounds: dict[str, Bounds] = field(default_factory=dict)
    labels: dict[str, Bounds] = field(default_factory=dict)

    def size(self, node: FlowNode) -> tuple[float, float]:
        """Width and height of a node, of a frame with what is in it."""
        attached = self.attached.get(node.id, [])
        if node.id not in self.frames:
            return measures.size_of(node, attached)
        inner = self.frames[node.id].bounds
        width = inner.width + 2 * measures.PADDING
        height = inner.height + measures.HEADER + measures.PADDING
        return max(width, _FRAME[0], measures.border_width(attached)), max(height, _FRAME[1])

    def host(self, node: str) -> str:
        """The node itself, or that at whose border it is."""
        found = self.elements.nodes.get(node)
        return node if found is None or found.attached_to is None else found.attached_to


def level_of(inside: Inside, elements: Elements, bands: Mapping[str, int] | None = None) -> Diagram:
    """The diagram of a process or of what is in a sub-process, from (0, 0) on.

    Args:
        inside: its nodes and flows.
        elements: those of the whole model.
        bands: the number of the lane of each node, where lanes are to lie beneath one another.
    """
    known = {node.id for node in inside.nodes}
    level = _Level(elements, [node for node in inside.nodes if node.attached_to not in known])
    for node in inside.nodes:
        if node.attached_to in known:
            level.attached.setdefault(node.attached_to or "", []).append(node)
        if node.inside is not None:
            level.frames[node.id] = level_of(node.inside, elements)
    placed = _placed(level, inside, bands or {})
    level.bounds.update(placed.boxes)
    _place_asides(level, placed)
    _place_attached(level)
    edges = _edges(level, inside, placed)
    diagram = Diagram(
        shapes=tuple(chain.from_iterable(_shapes(level, node) for node in level.nodes)), edges=edges
    )
    for node in level.nodes:
        if node.id in level.frames:
            diagram = diagram.beside(_inner(level, node))
    whole = diagram.bounds
    return diagram.moved(-math.floor(whole.x), -math.floor(whole.y))


def _placed(level: _Level, inside: Inside, bands: Mapping[str, int]) -> Placed:
    main = [node for node in level.nodes if not node.by_event]
    boxes = [_box(level, node, bands.get(node.id)) for node in main]
    links = _links(level, inside, {node.id for node in main})
    return place(boxes, [*links, *_keeping(main, links)])


def _box(level: _Level, node: FlowNode, band: int | None) -> Box:
    width, height = level.size(node)
    label = measures.label_size(measures.caption_of(node)) if measures.has_label(node) else None
    attached = level.attached.get(node.id, [])
    return Box(
        id=node.id,
        width=width,
        height=height,
        below=measures.EVENT / 2 if attached else 0.0 if label is None else label[1],
        beside=0.0 if label is None else max(0.0, (label[0] - width) / 2 - measures.PADDING / 2),
        first=node.kind is ElementKind.START_EVENT,
        band=band,
    )


def _links(level: _Level, inside: Inside, placed: set[str]) -> list[Link]:
    """Flows, and associations to what compensates, between different boxes."""
    links = [
        Link(
            id=flow.id,
            source=level.host(flow.source),
            target=flow.target,
            below=_below(level, flow.source),
            label=measures.flow_label_size(measures.flow_caption_of(flow)),
        )
        for flow in inside.flows
    ]
    links += [
        Link(
            id=_association_id(level.elements, source, target),
            source=level.host(source),
            target=target,
            below=_below(level, source),
        )
        for source, target in inside.associations
    ]
    return [link for link in links if link.source != link.target and {link.source, link.target} <= placed]


def _association_id(elements: Elements, source: str, target: str) -> str:
    return elements.associations.get((source, target), association_key(source, target))


def _below(level: _Level, source: str) -> float | None:
    """Where at its host's lower border a boundary event is."""
    host = level.host(source)
    if host == source or host not in level.attached:
        return None
    width, height = level.size(level.elements.nodes[host])
    attached = level.attached[host]
    places = measures.boundary_places(Bounds(0, 0, width, height), attached)
    bounds = next(bounds for node, (bounds, _) in zip(attached, places, strict=True) if node.id == source)
    return bounds.center.x / width * 2 - 1


def _keeping(nodes: list[FlowNode], links: list[Link]) -> list[Link]:
    """Links from the first start to whatever no start leads to, so that nothing stands beside the starts."""
    starts = [node.id for node in nodes if node.kind is ElementKind.START_EVENT]
    if not starts:
        return []
    following: dict[str, list[str]] = {}
    for link in links:
        following.setdefault(link.source, []).append(link.target)
    entered = {link.target for link in links}
    reached: set[str] = set()
    _reach(starts, following, reached)
    added = []
    for node in sorted(nodes, key=lambda one: one.id in entered):
        if node.id not in reached:
            added.append(Link(id=f"{_KEEPING}{node.id}", source=starts[0], target=node.id))
            _reach([node.id], following, reached)
    return added


def _reach(begun: list[str], following: Mapping[str, list[str]], reached: set[str]) -> None:
    """Adds all that these lead to."""
    waiting = list(begun)
    while waiting:
        node = waiting.pop()
        if node not in reached:
            reached.add(node)
            waiting.extend(following.get(node, []))


def _place_asides(level: _Level, placed: Placed) -> None:
    """Event sub-processes beneath all else, beside one another."""
    whole = Diagram(
        shapes=tuple(Shape(element=name, bounds=bounds) for name, bounds in placed.boxes.items()),
        edges=tuple(Edge(element=name, line=line) for name, line in placed.lines.items()),
    ).bounds
    left = min((bounds.x for bounds in placed.boxes.values()), default=0.0)
    top = whole.bottom + (_APART + measures.PADDING if placed.boxes else 0.0)
    for node in level.nodes:
        if node.by_event:
            level.bounds[node.id] = Bounds(left, top, *level.size(node))
            left += level.bounds[node.id].width + _APART


def _place_attached(level: _Level) -> None:
    for host, attached in level.attached.items():
        places = measures.boundary_places(level.bounds[host], attached)
        for node, (bounds, label) in zip(attached, places, strict=True):
            level.bounds[node.id] = bounds
            if label is not None:
                level.labels[node.id] = label
    for node in level.nodes:
        if measures.has_label(node):
            label = measures.label_below(level.bounds[node.id], measures.caption_of(node))
            if label is not None:
                level.labels[node.id] = label


def _shapes(level: _Level, node: FlowNode) -> list[Shape]:
    """A node's shape with those of the events at its border."""
    return [
        Shape(
            element=one.id,
            bounds=level.bounds[one.id],
            label=level.labels.get(one.id),
            expanded=one.id in level.frames,
            marked=one.kind is ElementKind.EXCLUSIVE_GATEWAY,
        )
        for one in (node, *level.attached.get(node.id, []))
    ]


def _inner(level: _Level, node: FlowNode) -> Diagram:
    """What is in a frame, in its middle beneath its name."""
    bounds = level.bounds[node.id]
    inner = level.frames[node.id]
    beside = bounds.width - inner.bounds.width
    below = bounds.height - measures.HEADER - measures.PADDING - inner.bounds.height
    return inner.moved(round(bounds.x + beside / 2), round(bounds.y + measures.HEADER + below / 2))


def _edges(level: _Level, inside: Inside, placed: Placed) -> tuple[Edge, ...]:
    """Each flow and association as it was placed, or around what it would go through."""
    ends = {flow.id: (flow.source, flow.target) for flow in inside.flows}
    ends |= {_association_id(level.elements, *pair): pair for pair in inside.associations}
    ends = {name: pair for name, pair in ends.items() if set(pair) <= level.bounds.keys()}
    lines = {
        name: _begun(level, pair[0], placed.lines[name])
        for name, pair in ends.items()
        if name in placed.lines
    }
    obstacles = list(level.bounds.values())
    clear = {name: line for name, line in lines.items() if _is_clear(level, ends[name], line)}
    for name, (source, target) in ends.items():
        if name not in clear:
            clear[name] = route(
                level.bounds[source],
                level.bounds[target],
                _sides(level, source, target),
                obstacles,
                clear.values(),
            )
    captions = {flow.id: measures.flow_caption_of(flow) for flow in inside.flows if flow.id in clear}
    labels = labels_along(clear, captions, [*obstacles, *level.labels.values()])
    return tuple(
        Edge(
            element=name,
            line=_ending(level, pair, clear[name]),
            label=labels.get(name),
            has_id=name != association_key(*pair),
        )
        for name, pair in ends.items()
    )


def _begun(level: _Level, source: str, line: Line) -> Line:
    """The line from the lower end of a boundary event on, where it was drawn from its host's border."""
    if level.host(source) == source:
        return line
    bounds = level.bounds[source]
    start = Point(bounds.center.x, bounds.bottom)
    return (start, Point(start.x, line[1].y), *line[2:])


def _is_clear(level: _Level, ends: tuple[str, str], line: Line) -> bool:
    """Whether a line goes through no shape; its own are touched at their borders alone."""
    return not any(
        crosses(line, bounds.grown(-1.5) if name in ends else bounds) for name, bounds in level.bounds.items()
    )


def _sides(level: _Level, source: str, target: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where a line leaves and comes in."""
    if level.host(source) != source:
        return [DOWN], [LEFT, DOWN, UP] if level.host(source) != target else [UP, LEFT]
    if source == target:
        return [RIGHT], [UP]
    return [RIGHT, DOWN, UP], [LEFT, UP, DOWN]


def _ending(level: _Level, ends: tuple[str, str], line: Line) -> Line:
    """The line with its first and last point on the outline of a circle or a diamond, not of the square around it."""
    return (
        _on_outline(level, ends[0], line[0], line[1]),
        *line[1:-1],
        _on_outline(level, ends[1], line[-1], line[-2]),
    )


def _on_outline(level: _Level, name: str, end: Point, before: Point) -> Point:
    node = level.elements.nodes[name]
    if node.kind in measures.ACTIVITIES:
        return end
    bounds = level.bounds[name]
    center, radius = bounds.center, bounds.width / 2
    horizontal = end.y == before.y
    off = abs(end.y - center.y) if horizontal else abs(end.x - center.x)
    reach = max(
        0.0, radius - off if node.kind in measures.GATEWAYS else (max(0.0, radius**2 - off**2)) ** 0.5
    )
    if horizontal:
        return Point(center.x + (reach if end.x > center.x else -reach), end.y)
    return Point(end.x, center.y + (reach if end.y > center.y else -reach))
