"""Finds elements of other tools among what is kept."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from schemas.core.bpmn.mapping.foreign.expressions import UnreadableExpression, value_of
from schemas.core.bpmn.model import XmlNode

Open = Callable[[str], None]
"""Told of what is left open."""


def within(nodes: Iterable[XmlNode], tag: str) -> Iterator[XmlNode]:
    """The elements of this tag, however deep."""
    for node in nodes:
        if node.tag == tag:
            yield node
        else:
            yield from within(node.children, tag)


def read_value(text: str, left_open: Open) -> Any:
    """A value of another tool as ours; null where it cannot be read."""
    try:
        return value_of(text)
    except UnreadableExpression:
        left_open(f"the expression '{text:.200}' says nothing that our expressions say; write it in ours")
        return None


def placed(fields: dict[str, Any], path: str, value: Any) -> None:
    """Put a value at a path with dots."""
    *around, last = path.split(".")
    for name in around:
        inner = fields.setdefault(name, {})
        if not isinstance(inner, dict):
            return
        fields = inner
    fields[last] = value
