"""Expressions as they were written."""

from schemas.core.bpmn.model import BpmnExpression, XmlNode
from schemas.core.bpmn.reading.context import BpmnReading
from schemas.core.bpmn.xml.names import XSI

_TYPE = f"{{{XSI}}}type"


def read_expression(node: XmlNode, reading: BpmnReading) -> BpmnExpression:
    """The expression of an element; the blanks around it are the file's."""
    attributes = dict(node.attributes)
    attributes.pop(_TYPE, None)
    language = attributes.pop("language", None) or reading.language
    return BpmnExpression(text=node.text.strip(), language=language, attributes=attributes)
