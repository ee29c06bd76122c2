"""The children of BPMN's elements, in the order in which its XSD has them."""

from typing import Final

from schemas.core.bpmn.model import ElementKind, EventKind

FLOW_NODES: Final = tuple(kind.value for kind in ElementKind)
DATA: Final = ("dataObject", "dataObjectReference", "dataStoreReference")
ARTIFACTS: Final = ("association", "group", "textAnnotation")
EVENT_DEFINITIONS: Final = tuple(f"{kind.value}EventDefinition" for kind in EventKind)
LOOPS: Final = ("standardLoopCharacteristics", "multiInstanceLoopCharacteristics")
_BASE: Final = ("documentation", "extensionElements")
_ROLES: Final = (("resourceRole", "performer", "humanPerformer", "potentialOwner"),)
_INSIDE: Final = (("laneSet",), FLOW_NODES, ("sequenceFlow",), DATA, ARTIFACTS)


def _ranks(*groups: str | tuple[str, ...]) -> dict[str, int]:
    return {
        name: rank
        for rank, group in enumerate(groups)
        for name in ((group,) if isinstance(group, str) else group)
    }


OF_PROCESS: Final = _ranks(
    *_BASE,
    *("supportedInterfaceRef", "ioSpecification", "ioBinding", "auditing", "monitoring", "property"),
    *_INSIDE,
    *_ROLES,
    *("correlationSubscription", "supports"),
)
OF_FLOW_NODE: Final = _ranks(
    *_BASE,
    *("auditing", "monitoring", "categoryValueRef", "incoming", "outgoing", "ioSpecification", "property"),
    *("dataOutput", "dataInput", "dataInputAssociation", "dataOutputAssociation", "outputSet", "inputSet"),
    *_ROLES,
    LOOPS,
    *_INSIDE,
    *("rendering", "script", "activationCondition"),
    EVENT_DEFINITIONS,
    "eventDefinitionRef",
)
OF_FLOW: Final = _ranks(*_BASE, "auditing", "monitoring", "categoryValueRef", "conditionExpression")
OF_LANE: Final = _ranks(*_BASE, "partitionElement", "flowNodeRef", "childLaneSet")
OF_EVENT_DEFINITION: Final = _ranks(
    *_BASE, ("operationRef", "condition", "timeDate", "timeDuration", "timeCycle", "source"), "target"
)
OF_LOOP: Final = _ranks(
    *_BASE,
    *("loopCondition", "loopCardinality", "loopDataInputRef", "loopDataOutputRef", "inputDataItem"),
    *("outputDataItem", "complexBehaviorDefinition", "completionCondition"),
)
