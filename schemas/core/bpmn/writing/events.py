"""What events are about, and loops, as elements."""

from schemas.core.bpmn.model import EventDefinition, EventKind, Loop, XmlNode
from schemas.core.bpmn.reading.events import REFERENCES
from schemas.core.bpmn.writing.elements import ExpressionWriter, attributes_of, ordered, text_node
from schemas.core.bpmn.xml.child_order import OF_EVENT_DEFINITION, OF_LOOP
from schemas.core.bpmn.xml.names import bpmn, bpmn_name


def event_node(event: EventDefinition, expressions: ExpressionWriter) -> XmlNode:
    """An event definition."""
    reference = f"{REFERENCES[event.kind][0]}Ref" if event.kind in REFERENCES else "activityRef"
    place = event.timer if event.kind is EventKind.TIMER else "condition"
    children = (*event.kept, *expressions.written(place or "timeDuration", event.expression))
    return XmlNode(
        tag=bpmn(f"{event.kind.value}EventDefinition"),
        attributes=attributes_of(
            event.attributes,
            event.id,
            **{
                "name": event.name if event.kind is EventKind.LINK else None,
                reference: event.reference or event.activity,
                "waitForCompletion": None if event.waits else False,
            },
        ),
        children=ordered(children, OF_EVENT_DEFINITION),
    )


def loop_nodes(loop: Loop | None, expressions: ExpressionWriter) -> list[XmlNode]:
    """The loop of an activity, if it has one."""
    if loop is None:
        return []
    children = [
        *loop.kept,
        *expressions.written("loopCondition", loop.condition),
        *expressions.written("loopCardinality", loop.count),
        *expressions.written("completionCondition", loop.until),
    ]
    if loop.items is not None:
        children.append(text_node("loopDataInputRef", loop.items.text))
    if loop.element is not None and not any(bpmn_name(child.tag) == "inputDataItem" for child in loop.kept):
        children.append(XmlNode(tag=bpmn("inputDataItem"), attributes={"name": loop.element}))
    return [
        XmlNode(
            tag=bpmn("multiInstanceLoopCharacteristics" if loop.multi else "standardLoopCharacteristics"),
            attributes=attributes_of(
                loop.attributes,
                isSequential=loop.sequential or None,
                testBefore=loop.tests_before or None,
                loopMaximum=str(loop.most) if loop.most is not None else None,
            ),
            children=ordered(children, OF_LOOP),
        )
    ]
