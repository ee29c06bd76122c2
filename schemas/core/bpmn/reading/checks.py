"""What is wrong between the elements of a file: ids that stand twice, flows and events that lead nowhere."""

from collections.abc import Iterator, Mapping

from schemas.core.bpmn.model import BpmnProcess, ElementKind, FlowNode, Inside, XmlNode
from schemas.core.bpmn.reading.context import BpmnReading, elements_within
from schemas.core.bpmn.reading.flow_nodes import ACTIVITIES, kind_of
from schemas.core.bpmn.xml.names import bpmn_name


def check_ids(root: XmlNode, reading: BpmnReading) -> None:
    """Refuses each element whose id another has before it."""
    first: dict[str, XmlNode] = {}
    for node in elements_within(root):
        own = node.attributes.get("id")
        if own and (before := first.setdefault(own, node)) is not node:
            reading.refuse(node, f"the id is that of the element on line {before.line}; give it another")


def check_process(process: BpmnProcess, reading: BpmnReading) -> None:
    """Refuses what leads to nothing or across a border."""
    for inside in _insides(process.inside):
        nodes = {node.id: node for node in inside.nodes}
        leaving = {(flow.source, flow.id) for flow in inside.flows}
        _check_flows(inside, nodes, reading)
        for node in inside.nodes:
            if node.kind is ElementKind.BOUNDARY_EVENT:
                _check_host(node, nodes, reading)
            if node.default is not None and (node.id, node.default) not in leaving:
                why = f"its default {node.default!r} is no flow that leaves it"
                reading.refuse_at(node.line, node.kind.value, node.id, why)


def _insides(inside: Inside) -> Iterator[Inside]:
    yield inside
    for node in inside.nodes:
        if node.inside is not None:
            yield from _insides(node.inside)


def _check_flows(inside: Inside, nodes: Mapping[str, FlowNode], reading: BpmnReading) -> None:
    for flow in inside.flows:
        for end, reference in (("from", flow.source), ("to", flow.target)):
            if not reference or reference in nodes:
                continue
            elsewhere = reading.elements.get(reference)
            if elsewhere is not None and kind_of(bpmn_name(elsewhere.tag)) is not None:
                why = (
                    f"leads {end} {reference!r} across the border of a process or sub-process; use a message"
                )
            else:
                why = f"leads {end} {reference!r}, which is no flow node of the file"
            reading.refuse_at(flow.line, "sequenceFlow", flow.id, why)


def _check_host(node: FlowNode, nodes: Mapping[str, FlowNode], reading: BpmnReading) -> None:
    host = nodes.get(node.attached_to or "")
    if host is not None and host.kind in ACTIVITIES:
        return
    told = f"its host {node.attached_to!r} is no activity beside it" if node.attached_to else "it has no host"
    reading.refuse_at(node.line, node.kind.value, node.id, f"{told}; attach it to an activity")
