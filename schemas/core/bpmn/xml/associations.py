"""The association that leads from a compensation event to what compensates, where a file has none of its own."""

from schemas.core.bpmn.model import XmlNode
from schemas.core.bpmn.xml.names import bpmn


def association(source: str, target: str) -> XmlNode:
    """The association that is written."""
    return XmlNode(
        tag=bpmn("association"),
        attributes={
            "id": f"{source}_to_{target}",
            "associationDirection": "One",
            "sourceRef": source,
            "targetRef": target,
        },
    )


def is_generated(node: XmlNode, associations: frozenset[tuple[str, str]]) -> bool:
    """Whether this element is what would be written for one of these pairs, and need not be kept."""
    ends = (node.attributes.get("sourceRef", ""), node.attributes.get("targetRef", ""))
    return ends in associations and node == association(*ends)
