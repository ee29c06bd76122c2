"""What is known of a file while it is read: its prefixes and roots, its ids, and what is wrong with it so far."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from schemas.core.bpmn.model import XmlNode
from schemas.core.bpmn.problems import BpmnProblem
from schemas.core.bpmn.xml.names import BPMN, bpmn, bpmn_name, local_name, namespace_of

_TRUE = frozenset({"true", "1"})


@dataclass(slots=True, kw_only=True)
class BpmnReading:
    """A file that is being read."""

    prefixes: Mapping[str, str]
    language: str | None
    """Of the file's expressions."""
    elements: Mapping[str, XmlNode]
    """The elements of BPMN by id."""
    problems: list[BpmnProblem] = field(default_factory=list)
    _given: Counter[str] = field(default_factory=Counter)

    def refuse(self, node: XmlNode, why: str) -> None:
        """Notes what is wrong with an element."""
        own, name = node.attributes.get("id"), node.attributes.get("name")
        self.refuse_at(node.line, local_name(node.tag), own, why, name)

    def refuse_at(self, line: int, kind: str, own: str | None, why: str, name: str | None = None) -> None:
        """Notes what is wrong with the element of this kind and id on this line."""
        shown = f'<{kind} id="{own}">' if own else f"<{kind}>"
        self.problems.append(BpmnProblem(message=f"{shown}: {why}", line=line, element=own or name))

    def id_of(self, node: XmlNode) -> str:
        """An element's id; one without is given the first that is free."""
        if own := node.attributes.get("id"):
            return own
        name = local_name(node.tag)
        while True:
            self._given[name] += 1
            if (free := f"{name}_{self._given[name]}") not in self.elements:
                return free

    def local_id(self, reference: str) -> str:
        """The id that a qualified name means."""
        prefix, colon, name = reference.strip().partition(":")
        return name if colon and prefix in self.prefixes else reference.strip()

    def referenced(
        self, node: XmlNode, reference: str | None, kind: str, *names: str
    ) -> tuple[str | None, str | None]:
        """The id of a root element that is referred to, and the first of these names that it has."""
        if not reference:
            return None, None
        own = self.local_id(reference)
        root = self.elements.get(own)
        if root is None or root.tag != bpmn(kind):
            self.refuse(node, f"refers to the {kind} {own!r}, which is not in the file; add it")
            return own, None
        return own, next((root.attributes[name] for name in names if root.attributes.get(name)), None)


def is_true(written: str | None) -> bool:
    """What a boolean attribute says."""
    return written is not None and written.strip() in _TRUE


def elements_within(node: XmlNode) -> Iterator[XmlNode]:
    """An element and all of BPMN within it; what stands in extensions is another's."""
    yield node
    for child in node.children:
        if namespace_of(child.tag) == BPMN and bpmn_name(child.tag) != "extensionElements":
            yield from elements_within(child)


def elements_of(node: XmlNode) -> tuple[XmlNode, ...]:
    """An element's children without text between them: where BPMN has only elements, text means nothing."""
    return tuple(replace(child, tail="") if child.tail else child for child in node.children)


def children_of(node: XmlNode) -> tuple[XmlNode, ...]:
    """An element's children; what is not of BPMN stands in its extensions, wherever it stood."""
    documentation: list[XmlNode] = []
    extensions: list[XmlNode] = []
    others: list[XmlNode] = []
    for child in elements_of(node):
        name = bpmn_name(child.tag)
        if not name:
            extensions.append(child)
        elif name == "extensionElements":
            extensions += elements_of(child)
        else:
            (documentation if name == "documentation" else others).append(child)
    if not extensions:
        return (*documentation, *others)
    together = XmlNode(tag=bpmn("extensionElements"), children=tuple(extensions), line=node.line)
    return (*documentation, together, *others)


def parts_of(children: tuple[XmlNode, ...]) -> tuple[str, tuple[XmlNode, ...], tuple[XmlNode, ...]]:
    """The text of the first plain documentation among children, what is in their extensions, and the others."""
    documentation = ""
    extensions: tuple[XmlNode, ...] = ()
    others: list[XmlNode] = []
    for child in children:
        name = bpmn_name(child.tag)
        if name == "extensionElements":
            extensions = child.children
        elif name == "documentation" and not (documentation or child.attributes or child.children):
            documentation = child.text
        else:
            others.append(child)
    return documentation, extensions, tuple(others)
