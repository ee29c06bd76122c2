"""A BPMN model as a picture: in its own diagram where that has everything, else laid out."""

from collections.abc import Iterator
from typing import Final

from schemas.core.bpmn.model import BpmnModel
from tools.diagrams.diagram import Diagram, Shape
from tools.diagrams.elements import Elements, elements_of, title_of
from tools.diagrams.geometry import Point
from tools.diagrams.interchange.reading import own_diagram
from tools.diagrams.layout.whole import laid_out
from tools.diagrams.position import RunPosition
from tools.diagrams.svg.connections import association_drawn, flow_drawn, message_drawn
from tools.diagrams.svg.markup import FONT, PAPER, element, text_content
from tools.diagrams.svg.nodes import artifact_drawn, node_drawn, pool_drawn
from tools.diagrams.svg.states import LEGEND_HEIGHT, legend
from tools.diagrams.text import shown

_MARGIN: Final = 24.0


def diagram_of(model: BpmnModel) -> Diagram:
    """Where a model's elements stand: as its file says if that has a place for each node and flow, else laid out."""
    return own_diagram(model) or laid_out(model)


def svg_of(model: BpmnModel, position: RunPosition | None = None) -> str:
    """A picture of a model as an SVG document, and where a run stands in it.

    Args:
        model: what is drawn.
        position: which nodes of a run are done, open or failed, and how often.
    """
    diagram = diagram_of(model)
    elements = elements_of(model)
    bounds = diagram.bounds.grown(_MARGIN).rounded()
    height = bounds.height + (LEGEND_HEIGHT if position is not None else 0.0)
    parts = [element("title", text_content(shown(title_of(model))))]
    parts.append(element("rect", x=bounds.x, y=bounds.y, width=bounds.width, height=height, fill=PAPER))
    parts.extend(_drawn(diagram, elements, position or RunPosition()))
    if position is not None:
        parts.append(legend(Point(bounds.x + _MARGIN, bounds.bottom)))
    return element(
        "svg",
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"{bounds.x:g} {bounds.y:g} {bounds.width:g} {height:g}",
        width=bounds.width,
        height=height,
        role="img",
        font_family=FONT,
    )


def _drawn(diagram: Diagram, elements: Elements, position: RunPosition) -> Iterator[str]:
    """What is around others first, then lines, then nodes."""
    frames = [shape for shape in diagram.shapes if shape.expanded and shape.element in elements.nodes]
    nodes = [shape for shape in diagram.shapes if not shape.expanded and shape.element in elements.nodes]
    with_lanes = any(shape.element in elements.lanes for shape in diagram.shapes)
    yield from _pools(diagram, elements)
    for shape in frames:
        yield _node(shape, elements, position, with_lanes=with_lanes)
    for shape in diagram.shapes:
        if shape.element in elements.artifacts:
            yield artifact_drawn(elements.artifacts[shape.element], shape)
    yield from _connections(diagram, elements)
    for shape in nodes:
        yield _node(shape, elements, position, with_lanes=with_lanes)


def _node(shape: Shape, elements: Elements, position: RunPosition, *, with_lanes: bool) -> str:
    node = elements.nodes[shape.element]
    lane = None if with_lanes else elements.lane_of.get(node.id)
    return node_drawn(node, shape, position.nodes.get(node.id), "" if lane is None else lane.name or lane.id)


def _pools(diagram: Diagram, elements: Elements) -> Iterator[str]:
    for shape in diagram.shapes:
        if shape.element in elements.participants:
            yield pool_drawn(elements.participants[shape.element].name, shape, lane=False)
    for shape in diagram.shapes:
        if shape.element in elements.lanes:
            yield pool_drawn(elements.lanes[shape.element].name, shape, lane=True)


def _connections(diagram: Diagram, elements: Elements) -> Iterator[str]:
    for edge in diagram.edges:
        if edge.element in elements.flows:
            flow = elements.flows[edge.element]
            yield flow_drawn(flow, edge, elements.nodes.get(flow.source))
        elif edge.element in elements.message_flows:
            yield message_drawn(elements.message_flows[edge.element], edge)
        else:
            yield association_drawn(edge, directed=edge.element not in elements.undirected)
