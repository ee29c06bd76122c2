"""A tree of elements becomes bytes: UTF-8, the same for the same tree, every namespace declared at the root."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from schemas.core.bpmn.model import XmlNode
from schemas.core.bpmn.problems import BpmnProblem, RejectedBpmn
from schemas.core.bpmn.xml.names import XML, free_prefix, local_name, namespace_of

_IMPOSSIBLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""
_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_ATTRIBUTE: Final = _TEXT | str.maketrans({'"': "&quot;", "\n": "&#10;", "\t": "&#9;"})


def completed_prefixes(root: XmlNode, prefixes: Mapping[str, str]) -> dict[str, str]:
    """These prefixes, and one for each namespace of the tree that has none of them."""
    completed = dict(prefixes)
    for namespace, of_attribute in dict.fromkeys(_namespaces(root)):
        names = [prefix for prefix, declared in completed.items() if declared == namespace]
        if not names or (of_attribute and names == [""]):
            completed[free_prefix(namespace, completed)] = namespace
    return completed


def _namespaces(node: XmlNode) -> Iterator[tuple[str, bool]]:
    for tag, of_attribute in ((node.tag, False), *((name, True) for name in node.attributes)):
        if (namespace := namespace_of(tag)) and namespace != XML:
            yield namespace, of_attribute
    for child in node.children:
        yield from _namespaces(child)


def write_tree(root: XmlNode, prefixes: Mapping[str, str]) -> bytes:
    """The bytes of a file.

    Args:
        root: Its root.
        prefixes: Namespaces by prefix; one is added for each namespace that has none.

    Raises:
        RejectedBpmn: A text has a character that XML cannot hold.
    """
    return _Writer(completed_prefixes(root, prefixes)).written(root).encode("utf-8")


class _Writer:
    def __init__(self, prefixes: Mapping[str, str]) -> None:
        self._prefixes = prefixes
        self._of_elements = {namespace: prefix for prefix, namespace in reversed([*prefixes.items()])}
        named = {prefix: namespace for prefix, namespace in prefixes.items() if prefix}
        self._of_attributes = {namespace: prefix for prefix, namespace in reversed([*named.items()])} | {
            XML: "xml"
        }
        self._parts: list[str] = []

    def written(self, root: XmlNode) -> str:
        self._parts.append('<?xml version="1.0" encoding="UTF-8"?>')
        self._element(root, "\n", "", self._prefixes)
        return "".join((*self._parts, "\n"))

    def _element(
        self,
        node: XmlNode,
        indent: str | None,
        default: str,
        declared: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Writes an element; `indent` is none within mixed text, `default` the default namespace around."""
        if indent is not None:
            self._parts.append(indent)
        namespace = namespace_of(node.tag)
        prefix = self._of_elements[namespace] if namespace else ""
        default = declared.get("", default)
        if not prefix and default != namespace:
            declared = {**declared, "": namespace}
            default = namespace
        name = f"{prefix}:{local_name(node.tag)}" if prefix else local_name(node.tag)
        self._parts.append(f"<{name}")
        for each, uri in declared.items():
            self._parts.append(f' {f"xmlns:{each}" if each else "xmlns"}="{_escaped(uri, _ATTRIBUTE, node)}"')
        for attribute, value in node.attributes.items():
            of = namespace_of(attribute)
            shown = f"{self._of_attributes[of]}:{local_name(attribute)}" if of else attribute
            self._parts.append(f' {shown}="{_escaped(value, _ATTRIBUTE, node)}"')
        if not node.children and not node.text:
            self._parts.append("/>")
            return
        self._parts.append(f">{_escaped(node.text, _TEXT, node)}")
        mixed = bool(node.text) or any(child.tail for child in node.children)
        for child in node.children:
            self._element(child, None if mixed or indent is None else f"{indent}  ", default)
            self._parts.append(_escaped(child.tail, _TEXT, node))
        closing = indent if node.children and not mixed and indent is not None else ""
        self._parts.append(f"{closing}</{name}>")


def _escaped(text: str, table: Mapping[int, str], node: XmlNode) -> str:
    if found := _IMPOSSIBLE.search(text):
        raise RejectedBpmn(
            BpmnProblem(
                message=f"the character U+{ord(found.group()):04X} cannot be written in XML; remove it",
                element=node.attributes.get("id"),
            )
        )
    return text.translate(table)
