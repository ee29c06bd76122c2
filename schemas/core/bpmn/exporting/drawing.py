"""What is known while the model of a definition is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from schemas.core.bpmn.exporting.kept import KeptFile
from schemas.core.bpmn.mapping.names import unused
from schemas.core.bpmn.model import EventKind, XmlNode
from schemas.core.bpmn.xml.names import bpmn, bpmn_name

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
    kept: KeptFile | None = None
    """The file that the definition came with."""

    def flow(self) -> str:
        """The id of the next sequence flow."""
        self.flows += 1
        return self.id(f"flow_{self.flows}")

    def id(self, wished: str) -> str:
        """An id that nothing of the file has."""
        found = unused(wished, self.taken.__contains__)
        self.taken.add(found)
        return found

    def ends_at(self, node_id: str) -> bool:
        """Whether a node led nowhere in the file that the definition came with."""
        return self.kept is not None and self.kept.ends_at(node_id)

    def reference(self, kind: EventKind, name: str) -> str:
        """The id of the message, signal, error or escalation of this name."""
        known = self.roots.get((kind, name))
        if known is None:
            known = self._kept_root(kind, name)
        if known is None:
            attributes = {"id": self.id(f"{kind.value}_{len(self.roots) + 1}"), "name": name}
            if kind not in _NAMED:
                attributes[f"{kind.value}Code"] = name
            known = self.roots[kind, name] = XmlNode(tag=bpmn(kind.value), attributes=attributes)
        return known.attributes["id"]

    def _kept_root(self, kind: EventKind, name: str) -> XmlNode | None:
        """What the file has of this name."""
        code = "name" if kind in _NAMED else f"{kind.value}Code"
        for root in () if self.kept is None else self.kept.model.roots:
            if bpmn_name(root.tag) == kind.value and root.attributes.get(code) == name:
                return root
        return None
