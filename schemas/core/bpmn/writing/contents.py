"""What a process or a sub-process holds, as elements."""

from collections import defaultdict
from collections.abc import Mapping
from itertools import groupby

from schemas.core.bpmn.model import Flow, FlowNode, Inside, Lane, XmlNode
from schemas.core.bpmn.reading.flow_nodes import INTERRUPTS
from schemas.core.bpmn.writing.elements import ExpressionWriter, attributes_of, described, ordered, text_node
from schemas.core.bpmn.writing.events import event_node, loop_nodes
from schemas.core.bpmn.xml.associations import association
from schemas.core.bpmn.xml.child_order import OF_FLOW, OF_FLOW_NODE, OF_LANE
from schemas.core.bpmn.xml.names import bpmn, bpmn_name


def inside_nodes(inside: Inside, expressions: ExpressionWriter) -> list[XmlNode]:
    """Lanes, flow nodes, flows, associations and what is kept."""
    incoming: dict[str, list[XmlNode]] = defaultdict(list)
    outgoing: dict[str, list[XmlNode]] = defaultdict(list)
    for flow in inside.flows:
        outgoing[flow.source].append(text_node("outgoing", flow.id))
        incoming[flow.target].append(text_node("incoming", flow.id))
    drawn = {
        end for each in inside.kept if bpmn_name(each.tag) == "association" for end in _ends(each.attributes)
    }
    return [
        *_lane_sets("laneSet", inside.lanes),
        *(_flow_node(node, (*incoming[node.id], *outgoing[node.id]), expressions) for node in inside.nodes),
        *(_flow(flow, expressions) for flow in inside.flows),
        *inside.kept,
        *(association(*pair) for pair in inside.associations if pair not in drawn),
    ]


def _ends(attributes: Mapping[str, str]) -> tuple[tuple[str, str], tuple[str, str]]:
    source, target = (attributes.get(end, "").rpartition(":")[2] for end in ("sourceRef", "targetRef"))
    return (source, target), (target, source)


def _flow_node(node: FlowNode, flows: tuple[XmlNode, ...], expressions: ExpressionWriter) -> XmlNode:
    script = node.script
    held = inside_nodes(node.inside, expressions) if node.inside is not None else []
    children = [
        *described(node.documentation, node.extensions),
        *node.kept,
        *flows,
        *loop_nodes(node.loop, expressions),
        *held,
        *([text_node("script", script.text)] if script is not None else []),
        *(event_node(event, expressions) for event in node.events),
    ]
    return XmlNode(
        tag=bpmn(node.kind.value),
        attributes=attributes_of(
            node.attributes,
            node.id,
            **{
                "name": node.name,
                "attachedToRef": node.attached_to,
                INTERRUPTS.get(node.kind, ""): None if node.interrupts else False,
                "default": node.default,
                "isForCompensation": node.for_compensation or None,
                "triggeredByEvent": node.by_event or None,
                "calledElement": node.called,
                "messageRef": node.reference,
                "scriptFormat": script.language if script is not None else None,
            },
        ),
        children=ordered(children, OF_FLOW_NODE),
    )


def _flow(flow: Flow, expressions: ExpressionWriter) -> XmlNode:
    return XmlNode(
        tag=bpmn("sequenceFlow"),
        attributes=attributes_of(
            flow.attributes, flow.id, name=flow.name, sourceRef=flow.source, targetRef=flow.target
        ),
        children=ordered((*flow.kept, *expressions.written("conditionExpression", flow.condition)), OF_FLOW),
    )


def _lane_sets(name: str, lanes: tuple[Lane, ...]) -> list[XmlNode]:
    return [
        XmlNode(
            tag=bpmn(name),
            attributes=attributes_of({}, set_id),
            children=tuple(_lane(lane) for lane in together),
        )
        for set_id, together in groupby(lanes, key=lambda lane: lane.set_id)
    ]


def _lane(lane: Lane) -> XmlNode:
    children = (
        *lane.kept,
        *(text_node("flowNodeRef", node) for node in lane.nodes),
        *_lane_sets("childLaneSet", lane.lanes),
    )
    return XmlNode(
        tag=bpmn("lane"),
        attributes=attributes_of(lane.attributes, lane.id, name=lane.name),
        children=ordered(children, OF_LANE),
    )
