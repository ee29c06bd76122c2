"""What a process or a sub-process holds: flow nodes, sequence flows, lanes, and what is only kept."""

from typing import Final

from schemas.core.bpmn.model import (
    BpmnExpression,
    ElementKind,
    EventKind,
    Flow,
    FlowNode,
    Inside,
    Lane,
    XmlNode,
)
from schemas.core.bpmn.reading.context import BpmnReading, children_of
from schemas.core.bpmn.reading.expressions import read_expression
from schemas.core.bpmn.reading.flow_nodes import kind_of, read_flow_node
from schemas.core.bpmn.xml.associations import is_generated
from schemas.core.bpmn.xml.child_order import ARTIFACTS, DATA
from schemas.core.bpmn.xml.names import bpmn_name

_ONLY_KEPT: Final = frozenset({*DATA, *ARTIFACTS})


def is_held(node: XmlNode) -> bool:
    """Whether an element is one of those that a sub-process holds, and no part of the sub-process itself."""
    name = bpmn_name(node.tag)
    return name in {"laneSet", "sequenceFlow"} or name in _ONLY_KEPT or kind_of(name) is not None


def read_inside(children: tuple[XmlNode, ...], reading: BpmnReading) -> Inside:
    """What these children of a process or a sub-process are."""
    nodes: list[FlowNode] = []
    flows: list[Flow] = []
    lanes: list[Lane] = []
    kept: list[XmlNode] = []
    for child in children:
        name = bpmn_name(child.tag)
        if name == "sequenceFlow":
            flows.append(_read_flow(child, reading))
        elif name == "laneSet":
            lanes += _read_lanes(child, reading)
        elif kind_of(name) is not None:
            nodes.append(_read_node(child, reading))
        else:
            kept.append(child)
    associations = _associations(nodes, kept, reading)
    pairs = frozenset(associations)
    return Inside(
        nodes=tuple(nodes),
        flows=tuple(flows),
        lanes=tuple(lanes),
        associations=associations,
        kept=tuple(each for each in kept if not is_generated(each, pairs)),
    )


def _read_node(node: XmlNode, reading: BpmnReading) -> FlowNode:
    kind = kind_of(bpmn_name(node.tag))
    assert kind is not None
    children = children_of(node)
    if kind is not ElementKind.SUB_PROCESS:
        return read_flow_node(node, kind, children, None, reading)
    held = tuple(child for child in children if is_held(child))
    own = tuple(child for child in children if not is_held(child))
    return read_flow_node(node, kind, own, read_inside(held, reading), reading)


def _read_flow(node: XmlNode, reading: BpmnReading) -> Flow:
    attributes = dict(node.attributes)
    attributes.pop("id", None)
    ends = {end: attributes.pop(end, None) for end in ("sourceRef", "targetRef")}
    for end, reference in ends.items():
        if not reference:
            reading.refuse(node, f"has no {end}; lead it from one element to another")
    condition: BpmnExpression | None = None
    kept: list[XmlNode] = []
    for child in children_of(node):
        if bpmn_name(child.tag) == "conditionExpression":
            condition = read_expression(child, reading)
        else:
            kept.append(child)
    return Flow(
        id=reading.id_of(node),
        source=reading.local_id(ends["sourceRef"] or ""),
        target=reading.local_id(ends["targetRef"] or ""),
        name=attributes.pop("name", ""),
        condition=condition,
        kept=tuple(kept),
        attributes=attributes,
        line=node.line,
    )


def _read_lanes(lane_set: XmlNode, reading: BpmnReading) -> list[Lane]:
    set_id = reading.id_of(lane_set)
    return [
        _read_lane(child, set_id, reading) for child in lane_set.children if bpmn_name(child.tag) == "lane"
    ]


def _read_lane(node: XmlNode, set_id: str, reading: BpmnReading) -> Lane:
    attributes = dict(node.attributes)
    attributes.pop("id", None)
    nodes: list[str] = []
    lanes: list[Lane] = []
    kept: list[XmlNode] = []
    for child in children_of(node):
        name = bpmn_name(child.tag)
        if name == "flowNodeRef":
            nodes.append(reading.local_id(child.text))
        elif name == "childLaneSet":
            lanes += _read_lanes(child, reading)
        else:
            kept.append(child)
    return Lane(
        id=reading.id_of(node),
        name=attributes.pop("name", ""),
        nodes=tuple(nodes),
        lanes=tuple(lanes),
        set_id=set_id,
        kept=tuple(kept),
        attributes=attributes,
    )


def _associations(
    nodes: list[FlowNode], kept: list[XmlNode], reading: BpmnReading
) -> tuple[tuple[str, str], ...]:
    """From each compensation event to what its association leads to, whichever way that was drawn."""
    events = {
        node.id
        for node in nodes
        if node.attached_to and any(event.kind is EventKind.COMPENSATE for event in node.events)
    }
    found: list[tuple[str, str]] = []
    for each in kept:
        if bpmn_name(each.tag) == "association":
            ends = [reading.local_id(each.attributes.get(end, "")) for end in ("sourceRef", "targetRef")]
            if ends[0] not in events:
                ends.reverse()
            if ends[0] in events:
                found.append((ends[0], ends[1]))
    return tuple(found)
