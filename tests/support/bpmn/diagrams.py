"""Diagrams of models."""

from collections.abc import Callable

from schemas.core.bpmn.model import BpmnProcess, XmlNode
from schemas.core.bpmn.xml.names import BPMNDI, DC, DI


def diagram(process: BpmnProcess, new_id: Callable[[], str]) -> XmlNode:
    """A diagram with a shape for each node of a process and an edge for each flow."""
    bounds = XmlNode(tag=f"{{{DC}}}Bounds", attributes={"x": "1", "y": "2", "width": "30", "height": "40.5"})
    points = [XmlNode(tag=f"{{{DI}}}waypoint", attributes={"x": str(at), "y": "0"}) for at in (1, 2)]
    shapes = [
        XmlNode(
            tag=f"{{{BPMNDI}}}BPMNShape",
            attributes={"id": new_id(), "bpmnElement": each.id},
            children=(bounds,),
        )
        for each in process.inside.nodes
    ]
    edges = [
        XmlNode(
            tag=f"{{{BPMNDI}}}BPMNEdge",
            attributes={"id": new_id(), "bpmnElement": each.id},
            children=tuple(points),
        )
        for each in process.inside.flows
    ]
    plane = XmlNode(
        tag=f"{{{BPMNDI}}}BPMNPlane",
        attributes={"id": new_id(), "bpmnElement": process.id},
        children=(*shapes, *edges),
    )
    return XmlNode(tag=f"{{{BPMNDI}}}BPMNDiagram", attributes={"id": new_id()}, children=(plane,))
