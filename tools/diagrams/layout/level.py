"""A process or a sub-process laid out: what is in it first, then it as one level."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Final

from schemas.core.bpmn.model import ElementKind, FlowNode, Inside
from tools.diagrams import measures
from tools.diagrams.diagram import Diagram, Edge, Shape
from tools.diagrams.elements import Elements
from tools.diagrams.geometry import Bounds
from tools.diagrams.layout.connecting import association_id, edges_of, host_of
from tools.diagrams.layout.placing import Box, Link, Placed, place

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
        return math.ceil(max(width, _FRAME[0], measures.border_width(attached))), math.ceil(
            max(height, _FRAME[1])
        )


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
    edges = edges_of(inside, placed, level.bounds, list(level.labels.values()), elements)
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
            source=host_of(level.elements, flow.source),
            target=flow.target,
            below=_below(level, flow.source),
            label=measures.flow_label_size(measures.flow_caption_of(flow)),
        )
        for flow in inside.flows
    ]
    links += [
        Link(
            id=association_id(level.elements, source, target),
            source=host_of(level.elements, source),
            target=target,
            below=_below(level, source),
        )
        for source, target in inside.associations
    ]
    return [link for link in links if link.source != link.target and {link.source, link.target} <= placed]


def _below(level: _Level, source: str) -> float | None:
    """Where at its host's lower border a boundary event is."""
    host = host_of(level.elements, source)
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
