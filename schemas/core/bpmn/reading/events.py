"""What events are about."""

from dataclasses import replace
from typing import Final

from schemas.core.bpmn.model import BpmnExpression, EventDefinition, EventKind, XmlNode
from schemas.core.bpmn.reading.context import BpmnReading, children_of, is_true
from schemas.core.bpmn.reading.expressions import read_expression
from schemas.core.bpmn.xml.child_order import EVENT_DEFINITIONS
from schemas.core.bpmn.xml.names import bpmn_name

REFERENCES: Final = {
    EventKind.MESSAGE: ("message", "name"),
    EventKind.SIGNAL: ("signal", "name"),
    EventKind.ERROR: ("error", "errorCode", "name"),
    EventKind.ESCALATION: ("escalation", "escalationCode", "name"),
}
"""What a kind of event refers to, and where its name or code stands; `messageRef` and the like say to which."""
TIMES: Final = ("timeDate", "timeDuration", "timeCycle")


def read_events(children: tuple[XmlNode, ...], reading: BpmnReading) -> tuple[EventDefinition, ...]:
    """The definitions among the children of an event, those of the file to which it refers among them."""
    events: list[EventDefinition] = []
    for child in children:
        name = bpmn_name(child.tag)
        if name in EVENT_DEFINITIONS:
            events.append(_read_event(child, reading))
        elif name == "eventDefinitionRef":
            shared = reading.elements.get(reading.local_id(child.text))
            if shared is None or bpmn_name(shared.tag) not in EVENT_DEFINITIONS:
                reading.refuse(
                    child, f"refers to {child.text.strip()!r}, which is no event definition of the file"
                )
            else:
                events.append(replace(_read_event(shared, reading), id=None))
        elif name == "cancelEventDefinition":
            reading.refuse(
                child, "no construct; use an error event, and an error boundary event on the sub-process"
            )
    return tuple(events)


def _read_event(node: XmlNode, reading: BpmnReading) -> EventDefinition:
    kind = EventKind(bpmn_name(node.tag).removesuffix("EventDefinition"))
    attributes = dict(node.attributes)
    own = attributes.pop("id", None)
    reference, name = None, None
    if kind in REFERENCES:
        of, *names = REFERENCES[kind]
        reference, name = reading.referenced(node, attributes.pop(f"{of}Ref", None), of, *names)
    elif kind is EventKind.LINK:
        name = attributes.pop("name", None)
    expression: BpmnExpression | None = None
    timer: str | None = None
    kept: list[XmlNode] = []
    for child in children_of(node):
        part = bpmn_name(child.tag)
        if (kind is EventKind.TIMER and part in TIMES) or (
            kind is EventKind.CONDITIONAL and part == "condition"
        ):
            if expression is not None:
                reading.refuse(node, "has more than one time; leave one")
            expression = read_expression(child, reading)
            timer = part if part in TIMES else None
        else:
            kept.append(child)
    activity, waits = None, True
    if kind is EventKind.COMPENSATE:
        activity = _activity(node, attributes.pop("activityRef", None), reading)
        waits = is_true(attributes.pop("waitForCompletion", "true"))
    return EventDefinition(
        kind=kind,
        id=own,
        reference=reference,
        name=name,
        expression=expression,
        timer=timer,
        activity=activity,
        waits=waits,
        kept=tuple(kept),
        attributes=attributes,
    )


def _activity(node: XmlNode, reference: str | None, reading: BpmnReading) -> str | None:
    if not reference:
        return None
    activity = reading.local_id(reference)
    if activity not in reading.elements:
        reading.refuse(node, f"refers to the activity {activity!r}, which is not in the file")
    return activity
