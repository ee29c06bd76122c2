"""What BPMN has and no construct of ours says, with what to use instead."""

from typing import Final

from schemas.core.bpmn.model import ElementKind, XmlNode
from schemas.core.bpmn.reading.context import BpmnReading, children_of, is_true, parts_of
from schemas.core.bpmn.xml.names import UNPEND

STAND_INS: Final = {
    "adHocSubProcess": ElementKind.SUB_PROCESS,
    "transaction": ElementKind.SUB_PROCESS,
    "implicitThrowEvent": ElementKind.THROW_EVENT,
    "callChoreography": ElementKind.TASK,
    "choreographyTask": ElementKind.TASK,
    "subChoreography": ElementKind.TASK,
}
"""Elements that are refused, and as what they are read all the same, so that what is around them is examined."""
_NO_CONSTRUCT: Final = {
    "adHocSubProcess": "use a sub-process with gateways",
    "transaction": "use a sub-process with an error boundary event and compensation",
    "implicitThrowEvent": "use an intermediate throw event",
    "callChoreography": "use a call activity",
    "choreographyTask": "use a send and a receive task",
    "subChoreography": "use a sub-process",
}
_STATES_WHEN_TRUE: Final = (
    ("receiveTask", "instantiate", "a receive task begins no run; use a message start event before it"),
    (
        "eventBasedGateway",
        "instantiate",
        "an event-based gateway begins no run; use a start event for each event",
    ),
    ("startEvent", "parallelMultiple", "use one event, and a parallel gateway with an event on each branch"),
    ("intermediateCatchEvent", "parallelMultiple", "use a parallel gateway with an event on each branch"),
    ("boundaryEvent", "parallelMultiple", "use one boundary event for each event"),
)
_FIELD: Final = "unpend:field"
_QUANTITIES: Final = ("startQuantity", "completionQuantity")


def refuse_element(node: XmlNode, name: str, reading: BpmnReading) -> None:
    """Notes what of a flow node no construct says."""
    if name in _NO_CONSTRUCT:
        reading.refuse(node, f"no construct; {_NO_CONSTRUCT[name]}")
    if name == "complexGateway" and not _has_join(node):
        reading.refuse(
            node,
            f'no construct; use a parallel or an inclusive gateway, or say in <{_FIELD} name="join"> what it waits for',
        )
    for element, attribute, why in _STATES_WHEN_TRUE:
        if name == element and is_true(node.attributes.get(attribute)):
            reading.refuse(node, f'no construct for {attribute}="true"; {why}')
    if name == "eventBasedGateway" and node.attributes.get("eventGatewayType") == "Parallel":
        reading.refuse(
            node,
            "no construct for a parallel event gateway; use a parallel gateway with an event on each branch",
        )
    for quantity in _QUANTITIES:
        written = node.attributes.get(quantity, "1").strip()
        if written != "1":
            reading.refuse(node, f"no construct for {quantity}={written!r}; use a loop")


def _has_join(node: XmlNode) -> bool:
    _, extensions, _ = parts_of(children_of(node))
    return any(
        each.tag == f"{{{UNPEND}}}field" and each.attributes.get("name") == "join" for each in extensions
    )
