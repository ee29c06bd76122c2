"""Diagrams that an export has made: marked, so that an import of what nobody has moved leaves them out again."""

import hashlib
from dataclasses import replace
from typing import Final

from schemas.core.bpmn.model import BpmnModel, XmlNode
from schemas.core.bpmn.xml.names import BPMNDI, DC, DI

_ATTRIBUTE: Final = "documentation"
_MARK: Final = "made by unpend "


_NAMESPACES: Final = frozenset({BPMNDI, DC, DI})
"""Of diagrams alone."""


def without_made(model: BpmnModel) -> BpmnModel:
    """A model without the diagrams that an export has made, and the prefixes that are there for diagrams alone."""
    diagrams = tuple(each for each in model.diagrams if not _is_made(each))
    if diagrams == model.diagrams:
        return model
    prefixes = {
        prefix: namespace
        for prefix, namespace in model.prefixes.items()
        if diagrams or namespace not in _NAMESPACES
    }
    return replace(model, diagrams=diagrams, prefixes=prefixes)


def marked(diagram: XmlNode) -> XmlNode:
    """A diagram that says that it was made, and from which its digest."""
    return replace(diagram, attributes={**diagram.attributes, _ATTRIBUTE: _MARK + _digest(diagram)})


def _is_made(diagram: XmlNode) -> bool:
    """Whether a diagram is one that an export has made, and as it was made."""
    written = diagram.attributes.get(_ATTRIBUTE, "")
    return written.startswith(_MARK) and written == _MARK + _digest(diagram)


def _digest(diagram: XmlNode) -> str:
    digest = hashlib.sha256()
    todo = [diagram]
    while todo:
        node = todo.pop()
        given = sorted((name, value) for name, value in node.attributes.items() if name != _ATTRIBUTE)
        digest.update(repr((node.tag, given, node.text.strip(), len(node.children))).encode())
        todo += node.children
    return digest.hexdigest()[:16]
