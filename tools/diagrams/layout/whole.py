"""A whole model laid out: its processes beneath one another, in their pools and lanes."""

from collections.abc import Iterable, Iterator
from itertools import combinations, pairwise
from typing import Final

from schemas.core.bpmn.model import BpmnModel, BpmnProcess, Inside, Lane
from tools.diagrams import measures
from tools.diagrams.diagram import Diagram, Edge, Shape
from tools.diagrams.elements import Elements, elements_of, local_name, process_of
from tools.diagrams.geometry import Bounds, Line, around
from tools.diagrams.layout.labels import labels_along
from tools.diagrams.layout.level import level_of
from tools.diagrams.layout.routing import DOWN, UP, route

_APART: Final = 48.0
"""Between processes, so that messages have room."""
_AROUND: Final = 24.0
_BLACK_BOX: Final = (400.0, 60.0)


def laid_out(model: BpmnModel) -> Diagram:
    """The diagram of a model, made from its nodes and flows alone; the same for the same model."""
    elements = elements_of(model)
    whole = Diagram(element=_subject(model))
    top = 0.0
    for part in _parts(model, elements):
        whole = whole.beside(part.moved(0, top))
        top = whole.bounds.bottom + _APART
    return whole.beside(Diagram(edges=tuple(_messages(whole, elements))))


def _subject(model: BpmnModel) -> str | None:
    """The id of what the diagram is of."""
    collaborations = (
        node.attributes.get("id") for node in model.collaboration if local_name(node) == "collaboration"
    )
    return next(collaborations, None) or next((process.id for process in model.processes), None)


def _parts(model: BpmnModel, elements: Elements) -> Iterator[Diagram]:
    """Each process, in its pool where it has one, and each pool without a process."""
    shown: set[str] = set()
    for pool in elements.participants.values():
        process = process_of(model, pool)
        if process is None or process.id in shown:
            yield Diagram(shapes=(Shape(element=pool.id, bounds=Bounds(0, 0, *_BLACK_BOX), horizontal=True),))
        else:
            shown.add(process.id)
            yield _in_pool(pool.id, _process(process, elements))
    for process in model.processes:
        if process.id not in shown:
            yield _process(process, elements)


def _in_pool(pool: str, process: Diagram) -> Diagram:
    """The process with its pool around it; its lanes reach the pool's border."""
    inner = process.bounds
    gap = 0.0 if any(not shape.expanded and shape.bounds == inner for shape in process.shapes) else _AROUND
    bounds = Bounds(0, 0, inner.width + measures.HEADER + 2 * gap, inner.height + 2 * gap)
    moved = process.moved(measures.HEADER + gap - inner.x, gap - inner.y)
    return Diagram(shapes=(Shape(element=pool, bounds=bounds, expanded=True, horizontal=True),)).beside(moved)


def _process(process: BpmnProcess, elements: Elements) -> Diagram:
    """A process with its lanes beneath one another, where its nodes can be placed so."""
    lanes = list(_innermost(process.inside.lanes))
    bands = _bands(process.inside, lanes)
    if lanes and all(node.id in bands for node in process.inside.nodes if node.attached_to is None):
        shown = _with_lanes(process.inside.lanes, lanes, bands, level_of(process.inside, elements, bands))
        if shown is not None:
            return shown
    return level_of(process.inside, elements)


def _bands(inside: Inside, lanes: list[Lane]) -> dict[str, int]:
    """The number of each node's lane; an event or a gateway that is in none goes with what is before or behind it."""
    bands = {node: number for number, lane in enumerate(lanes) for node in lane.nodes}
    loose = {node.id for node in inside.nodes if node.kind not in measures.ACTIVITIES} - bands.keys()
    grown = bool(bands)
    while grown:
        grown = False
        for flow in inside.flows:
            for one, other in ((flow.target, flow.source), (flow.source, flow.target)):
                if one in loose and other in bands and one not in bands:
                    bands[one] = bands[other]
                    grown = True
    return bands


def _innermost(lanes: Iterable[Lane]) -> Iterator[Lane]:
    """The lanes that have none in them."""
    for lane in lanes:
        if lane.lanes:
            yield from _innermost(lane.lanes)
        else:
            yield lane


def _with_lanes(
    outer: tuple[Lane, ...], lanes: list[Lane], numbers: dict[str, int], diagram: Diagram
) -> Diagram | None:
    """The diagram with lanes around its nodes; none where they would overlap."""
    places = {shape.element: around(_all_of(shape)) for shape in diagram.shapes}
    members: list[list[Bounds]] = [[] for _ in lanes]
    for node, number in numbers.items():
        if node in places:
            members[number].append(places[node])
    filled = sorted(
        (row.y, row.bottom, index) for index, row in enumerate(map(around, members)) if row.height
    )
    if any(above[1] > beneath[0] for above, beneath in pairwise(filled)):
        return None
    whole = diagram.bounds.grown(_AROUND)
    order = [index for *_, index in filled]
    cuts = [whole.y, *((a[1] + b[0]) / 2 for a, b in pairwise(filled)), whole.bottom]
    bands = {
        lanes[index].id: Bounds(whole.x, cuts[at], whole.width, cuts[at + 1] - cuts[at])
        for at, index in enumerate(order)
    }
    depth = max(map(_depth, outer))
    shapes = [
        shape
        for lane in outer
        for shape in _lane_shapes(lane, bands, whole.x - depth * measures.HEADER, whole.right)
    ]
    if any(one.bounds.overlaps(other.bounds) for one, other in _beside_each_other(outer, shapes)):
        return None
    return Diagram(shapes=tuple(shapes)).beside(diagram)


def _beside_each_other(lanes: tuple[Lane, ...], shapes: list[Shape]) -> Iterator[tuple[Shape, Shape]]:
    """The pairs of lanes that are in the same one, or in none."""
    named = {lane.id for lane in lanes}
    yield from combinations([shape for shape in shapes if shape.element in named], 2)
    for lane in lanes:
        yield from _beside_each_other(lane.lanes, shapes)


def _all_of(shape: Shape) -> list[Bounds]:
    return [shape.bounds] if shape.label is None else [shape.bounds, shape.label]


def _depth(lane: Lane) -> int:
    return 1 + max(map(_depth, lane.lanes), default=0)


def _lane_shapes(lane: Lane, bands: dict[str, Bounds], left: float, right: float) -> list[Shape]:
    """A lane with those in it; a lane in which nothing is has no place."""
    inner = [shape for one in lane.lanes for shape in _lane_shapes(one, bands, left + measures.HEADER, right)]
    rows = [shape.bounds for shape in inner] if lane.lanes else [bands[lane.id]] if lane.id in bands else []
    if not rows:
        return []
    row = around(rows)
    return [
        Shape(
            element=lane.id,
            bounds=Bounds(left, row.y, right - left, row.height),
            expanded=bool(lane.lanes),
            horizontal=True,
        ),
        *inner,
    ]


def _across(pool: Bounds, other: Bounds) -> Bounds:
    """The part of a pool that lies across from something, so that messages come in one beside the other."""
    x = min(max(other.center.x, pool.x + measures.HEADER), pool.right - 1)
    return Bounds(x, pool.y, 0, pool.height)


def _messages(whole: Diagram, elements: Elements) -> Iterator[Edge]:
    """The messages between pools, around all that is between."""
    places = {shape.element: shape.bounds for shape in whole.shapes}
    obstacles = [
        bounds
        for name, bounds in places.items()
        if name in elements.nodes and elements.nodes[name].inside is None
    ]
    taken = [edge.line for edge in whole.edges]
    lines: dict[str, Line] = {}
    for message in elements.message_flows.values():
        if message.source in places and message.target in places and message.source != message.target:
            source, target = places[message.source], places[message.target]
            if message.target in elements.participants:
                target = _across(target, source)
            if message.source in elements.participants:
                source = _across(source, target)
            sides = ([DOWN], [UP]) if source.y < target.y else ([UP], [DOWN])
            lines[message.id] = route(source, target, sides, obstacles, [*taken, *lines.values()])
    captions = {name: elements.message_flows[name].name for name in lines}
    labels = labels_along(lines, captions, obstacles)
    for name, line in lines.items():
        yield Edge(element=name, line=line, label=labels.get(name))
