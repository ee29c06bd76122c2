"""What is known while the model of a definition is drawn."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.core.bpmn.mapping.names import unused
from schemas.core.bpmn.model import BpmnExpression, EventKind, XmlNode
from schemas.core.bpmn.xml.names import UNPEND, bpmn

_SAYABLE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_NAMED: Final = (EventKind.MESSAGE, EventKind.SIGNAL)


@dataclass(slots=True)
class Drawing:
    """The names of a model, and what its nodes are to become."""

    nodes: dict[str, str]
    """Flow nodes by the ids of steps."""
    taken: set[str]
    """The ids of the file."""
    steps: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The steps that nodes are to become."""
    entries: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """What nodes are to catch, without what follows."""
    roots: dict[tuple[EventKind, str], XmlNode] = field(default_factory=dict)
    """What is named beside the process."""
    flows: int = 0
    """How many there are."""

    def flow(self) -> str:
        """The id of the next sequence flow."""
        self.flows += 1
        return self.id(f"flow_{self.flows}")

    def id(self, wished: str) -> str:
        """An id that nothing of the file has."""
        found = unused(wished, self.taken.__contains__)
        self.taken.add(found)
        return found

    def reference(self, kind: EventKind, name: str) -> str:
        """The id of the message, signal, error or escalation of this name."""
        known = self.roots.get((kind, name))
        if known is None:
            attributes = {"id": self.id(f"{kind.value}_{len(self.roots) + 1}"), "name": name}
            if kind not in _NAMED:
                attributes[f"{kind.value}Code"] = name
            known = self.roots[kind, name] = XmlNode(tag=bpmn(kind.value), attributes=attributes)
        return known.attributes["id"]


def said(value: Any) -> str:
    """A text that an attribute can hold as it is; empty where it cannot."""
    return value if isinstance(value, str) and _SAYABLE.fullmatch(value) and value == value.strip() else ""


def expression(value: Any) -> BpmnExpression | None:
    """An expression of ours."""
    text = said(value)
    return BpmnExpression(text=text, language=UNPEND) if text else None


def several(value: Any) -> list[Any]:
    """One as a list, none as an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def names(value: Any) -> list[str]:
    """One name or several."""
    return [each for each in several(value) if isinstance(each, str)]


def objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [each for each in several(value) if isinstance(each, Mapping)]
