"""Flow nodes: activities, gateways and events."""

from typing import Final

from schemas.core.bpmn.model import BpmnExpression, ElementKind, FlowNode, Inside, XmlNode
from schemas.core.bpmn.reading.context import BpmnReading, is_true, parts_of
from schemas.core.bpmn.reading.events import read_events
from schemas.core.bpmn.reading.loops import read_loop
from schemas.core.bpmn.reading.refusals import STAND_INS, refuse_element
from schemas.core.bpmn.xml.child_order import EVENT_DEFINITIONS, LOOPS, OF_FLOW_NODE
from schemas.core.bpmn.xml.names import bpmn_name

EVENTS: Final = frozenset(kind for kind in ElementKind if kind.value.endswith("Event"))
MESSAGE_TASKS: Final = frozenset({ElementKind.SEND_TASK, ElementKind.RECEIVE_TASK})
INTERRUPTS: Final = {
    ElementKind.BOUNDARY_EVENT: "cancelActivity",
    ElementKind.START_EVENT: "isInterrupting",
}
"""Where an element says whether it ends what is going on."""
ACTIVITIES: Final = frozenset(
    kind
    for kind in ElementKind
    if kind.value.lower().endswith("task") or kind in {ElementKind.CALL_ACTIVITY, ElementKind.SUB_PROCESS}
)
_KINDS: Final = {**{kind.value: kind for kind in ElementKind}, **STAND_INS}
_READ: Final = frozenset({*EVENT_DEFINITIONS, *LOOPS, "incoming", "outgoing", "eventDefinitionRef"})
_REFUSED: Final = frozenset({"cancelEventDefinition", "completionCondition"})


def kind_of(name: str) -> ElementKind | None:
    """The kind of an element of BPMN by its name; none where it is no flow node."""
    return _KINDS.get(name)


def read_flow_node(
    node: XmlNode,
    kind: ElementKind,
    children: tuple[XmlNode, ...],
    inside: Inside | None,
    reading: BpmnReading,
) -> FlowNode:
    """A flow node.

    Args:
        node: Its element.
        kind: Its kind.
        children: Its own children, and none of what a sub-process holds.
        inside: What a sub-process holds.
        reading: The file.
    """
    refuse_element(node, bpmn_name(node.tag), reading)
    documentation, extensions, others = parts_of(children)
    attributes = dict(node.attributes)
    attributes.pop("id", None)
    reference, message = None, None
    if kind in MESSAGE_TASKS:
        reference, message = reading.referenced(node, attributes.pop("messageRef", None), "message", "name")
    attached_to = attributes.pop("attachedToRef", None) if kind is ElementKind.BOUNDARY_EVENT else None
    called = attributes.pop("calledElement", None) if kind is ElementKind.CALL_ACTIVITY else None
    script = _script(others, attributes) if kind is ElementKind.SCRIPT_TASK else None
    return FlowNode(
        id=reading.id_of(node),
        kind=kind,
        name=attributes.pop("name", ""),
        documentation=documentation,
        events=read_events(others, reading) if kind in EVENTS else (),
        attached_to=reading.local_id(attached_to) if attached_to is not None else None,
        interrupts=kind not in INTERRUPTS or is_true(attributes.pop(INTERRUPTS[kind], "true")),
        default=attributes.pop("default", None),
        loop=read_loop(others, reading),
        inside=inside,
        by_event=inside is not None and is_true(attributes.pop("triggeredByEvent", None)),
        for_compensation=is_true(attributes.pop("isForCompensation", None)),
        called=reading.local_id(called) if called is not None else None,
        script=script,
        reference=reference,
        message=message,
        extensions=extensions,
        kept=_kept(others, kind, script, reading),
        attributes=attributes,
        line=node.line,
    )


def _script(children: tuple[XmlNode, ...], attributes: dict[str, str]) -> BpmnExpression | None:
    """A script with its format, its blanks as they are; one of elements is kept and is no script."""
    found = next(
        (child for child in children if bpmn_name(child.tag) == "script" and not child.children), None
    )
    return BpmnExpression(text=found.text, language=attributes.pop("scriptFormat", None)) if found else None


def _kept(
    children: tuple[XmlNode, ...], kind: ElementKind, script: BpmnExpression | None, reading: BpmnReading
) -> tuple[XmlNode, ...]:
    kept: list[XmlNode] = []
    for child in children:
        name = bpmn_name(child.tag)
        if name in EVENT_DEFINITIONS and kind not in EVENTS:
            reading.refuse(child, "only an event has an event definition")
        elif name in _READ or name in _REFUSED or (name == "script" and script is not None):
            continue
        elif name in OF_FLOW_NODE:
            kept.append(child)
        else:
            reading.refuse(child, "is nothing that an element of BPMN 2.0 has at this place")
    return tuple(kept)
