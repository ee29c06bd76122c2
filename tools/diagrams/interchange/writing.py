"""A diagram written as BPMN Diagram Interchange, for files that are to be opened in a modeller."""

from schemas.core.bpmn.model import XmlNode
from tools.diagrams.diagram import Diagram, Edge, Shape
from tools.diagrams.geometry import Bounds, written
from tools.diagrams.interchange.names import (
    BOUNDS,
    DIAGRAM,
    EDGE,
    ELEMENT,
    EXPANDED,
    HORIZONTAL,
    LABEL,
    MARKED,
    PLANE,
    SHAPE,
    WAYPOINT,
)


def di_of(diagram: Diagram) -> XmlNode:
    """A `BPMNDiagram` with every shape, and every edge whose element has an id."""
    plane = XmlNode(
        tag=PLANE,
        attributes={"id": "plane"} if diagram.element is None else {"id": "plane", ELEMENT: diagram.element},
        children=(
            *map(_shape, diagram.shapes),
            *(_edge(edge) for edge in diagram.edges if edge.has_id),
        ),
    )
    return XmlNode(tag=DIAGRAM, attributes={"id": "diagram"}, children=(plane,))


def _shape(shape: Shape) -> XmlNode:
    attributes = {"id": f"{shape.element}_di", ELEMENT: shape.element}
    if shape.horizontal is not None:
        attributes[HORIZONTAL] = _truth(shape.horizontal)
    elif shape.expanded:
        attributes[EXPANDED] = _truth(True)
    if shape.marked:
        attributes[MARKED] = _truth(True)
    return XmlNode(tag=SHAPE, attributes=attributes, children=(_bounds(shape.bounds), *_label(shape.label)))


def _edge(edge: Edge) -> XmlNode:
    points = tuple(
        XmlNode(tag=WAYPOINT, attributes={"x": written(point.x), "y": written(point.y)})
        for point in edge.line
    )
    return XmlNode(
        tag=EDGE,
        attributes={"id": f"{edge.element}_di", ELEMENT: edge.element},
        children=(*points, *_label(edge.label)),
    )


def _label(label: Bounds | None) -> tuple[XmlNode, ...]:
    return () if label is None else (XmlNode(tag=LABEL, children=(_bounds(label),)),)


def _bounds(bounds: Bounds) -> XmlNode:
    return XmlNode(
        tag=BOUNDS,
        attributes={
            "x": written(bounds.x),
            "y": written(bounds.y),
            "width": written(bounds.width),
            "height": written(bounds.height),
        },
    )


def _truth(value: bool) -> str:  # noqa: FBT001
    return "true" if value else "false"
