"""That an activity is done several times."""

from schemas.core.bpmn.model import BpmnExpression, Loop, XmlNode
from schemas.core.bpmn.reading.context import BpmnReading, children_of, is_true
from schemas.core.bpmn.reading.expressions import read_expression
from schemas.core.bpmn.xml.child_order import LOOPS
from schemas.core.bpmn.xml.names import bpmn_name, local_name

_EXPRESSIONS = frozenset({"loopCondition", "loopCardinality", "completionCondition"})
_COLLECTIONS = frozenset({"collection", "inputCollection"})


def read_loop(children: tuple[XmlNode, ...], reading: BpmnReading) -> Loop | None:
    """The loop among the children of an activity."""
    loops = [child for child in children if bpmn_name(child.tag) in LOOPS]
    for more in loops[1:]:
        reading.refuse(more, "a second loop of the same activity; use a sub-process around it")
    return _read_loop(loops[0], reading) if loops else None


def _read_loop(node: XmlNode, reading: BpmnReading) -> Loop:
    expressions: dict[str, BpmnExpression] = {}
    items: BpmnExpression | None = None
    element: str | None = None
    kept: list[XmlNode] = []
    for child in children_of(node):
        name = bpmn_name(child.tag)
        if name in _EXPRESSIONS:
            expressions[name] = read_expression(child, reading)
        elif name == "loopDataInputRef":
            items = BpmnExpression(text=reading.local_id(child.text))
        elif name == "inputDataItem":
            element = child.attributes.get("name")
            if child.children or child.attributes.keys() != {"name"}:
                kept.append(child)
        else:
            kept.append(child)
    attributes = dict(node.attributes)
    most = attributes.pop("loopMaximum", None)
    if most is not None and not most.strip().isdecimal():
        reading.refuse(node, f"loopMaximum is {most!r}, and no whole number")
        most = None
    if "loopCardinality" in expressions and (items is not None or _has_collection(node)):
        reading.refuse(node, "has a count and a collection; leave one of them")
    return Loop(
        items=items,
        element=element,
        count=expressions.get("loopCardinality"),
        sequential=is_true(attributes.pop("isSequential", None)),
        until=expressions.get("completionCondition"),
        condition=expressions.get("loopCondition"),
        most=int(most) if most is not None else None,
        tests_before=is_true(attributes.pop("testBefore", None)),
        multi=bpmn_name(node.tag) == "multiInstanceLoopCharacteristics",
        kept=tuple(kept),
        attributes=attributes,
    )


def _has_collection(node: XmlNode) -> bool:
    """Whether an extension, Camunda's or Zeebe's, names a collection."""
    extensions = (child for child in children_of(node) if bpmn_name(child.tag) == "extensionElements")
    places = (node, *(each for extension in extensions for each in extension.children))
    return any(local_name(name) in _COLLECTIONS for place in places for name in place.attributes)
