"""The lines of a level: as they were placed, or around what they would go through."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from schemas.core.bpmn.model import FlowNode, Inside
from tools.diagrams import measures
from tools.diagrams.diagram import Edge
from tools.diagrams.elements import Elements, association_key
from tools.diagrams.geometry import Bounds, Line, Point, crosses
from tools.diagrams.layout.labels import labels_along
from tools.diagrams.layout.placing import Placed
from tools.diagrams.layout.routing import DOWN, LEFT, RIGHT, UP, route

_MOST_SOUGHT: Final = 100
"""Lines of a level that are drawn around what they would go through; further ones stay as they are, for time's sake."""


def host_of(elements: Elements, node: str) -> str:
    """The node itself, or that at whose border it is."""
    found = elements.nodes.get(node)
    return node if found is None or found.attached_to is None else found.attached_to


def association_id(elements: Elements, source: str, target: str) -> str:
    """The id of an association, or what stands for it."""
    return elements.associations.get((source, target), association_key(source, target))


def edges_of(
    inside: Inside,
    placed: Placed,
    shapes: Mapping[str, Bounds],
    names: Sequence[Bounds],
    elements: Elements,
) -> tuple[Edge, ...]:
    """Each flow and association as it was placed, or around what it would go through."""
    ends = {flow.id: (flow.source, flow.target) for flow in inside.flows}
    ends |= {association_id(elements, *pair): pair for pair in inside.associations}
    ends = {name: pair for name, pair in ends.items() if set(pair) <= shapes.keys()}
    lines = {
        name: _begun(elements, shapes, pair[0], placed.lines[name])
        for name, pair in ends.items()
        if name in placed.lines
    }
    obstacles = list(shapes.values())
    clear = {name: line for name, line in lines.items() if _is_clear(shapes, ends[name], line)}
    sought = [name for name in ends if name not in clear]
    for number, name in enumerate(sought):
        source, target = ends[name]
        if number < _MOST_SOUGHT:
            around, others = obstacles, [*clear.values()]
        elif name in lines:
            clear[name] = lines[name]
            continue
        else:
            around, others = [shapes[source], shapes[target]], []
        clear[name] = route(shapes[source], shapes[target], _sides(elements, source, target), around, others)
    captions = {flow.id: measures.flow_caption_of(flow) for flow in inside.flows if flow.id in clear}
    labels = labels_along(clear, captions, [*obstacles, *names])
    return tuple(
        Edge(
            element=name,
            line=_ending(elements, shapes, pair, clear[name]),
            label=labels.get(name),
            has_id=name != association_key(*pair),
        )
        for name, pair in ends.items()
    )


def _begun(elements: Elements, shapes: Mapping[str, Bounds], source: str, line: Line) -> Line:
    """The line from the lower end of a boundary event on, where it was drawn from its host's border."""
    if host_of(elements, source) == source:
        return line
    bounds = shapes[source]
    start = Point(bounds.center.x, bounds.bottom)
    return (start, Point(start.x, line[1].y), *line[2:])


def _is_clear(shapes: Mapping[str, Bounds], ends: tuple[str, str], line: Line) -> bool:
    """Whether a line goes through no shape; its own are touched at their borders alone."""
    return not any(
        crosses(line, bounds.grown(-1.5) if name in ends else bounds) for name, bounds in shapes.items()
    )


def _sides(
    elements: Elements, source: str, target: str
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Where a line leaves and comes in."""
    if host_of(elements, source) != source:
        return [DOWN], [LEFT, DOWN, UP] if host_of(elements, source) != target else [UP, LEFT]
    if source == target:
        return [RIGHT], [UP]
    return [RIGHT, DOWN, UP], [LEFT, UP, DOWN]


def _ending(elements: Elements, shapes: Mapping[str, Bounds], ends: tuple[str, str], line: Line) -> Line:
    """The line with its first and last point on the outline of a circle or a diamond, not of the square around it."""
    source, target = (elements.nodes[name] for name in ends)
    return (
        _on_outline(source, shapes[source.id], line[0], line[1]),
        *line[1:-1],
        _on_outline(target, shapes[target.id], line[-1], line[-2]),
    )


def _on_outline(node: FlowNode, bounds: Bounds, end: Point, before: Point) -> Point:
    if node.kind in measures.ACTIVITIES:
        return end
    center, radius = bounds.center, bounds.width / 2
    horizontal = end.y == before.y
    off = min(radius, abs(end.y - center.y) if horizontal else abs(end.x - center.x))
    reach = radius - off if node.kind in measures.GATEWAYS else math.sqrt(radius**2 - off**2)
    if horizontal:
        return Point(center.x + (reach if end.x > center.x else -reach), end.y)
    return Point(end.x, center.y + (reach if end.y > center.y else -reach))
