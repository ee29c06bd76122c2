"""The namespaces of BPMN files, and the parts of an element's name."""

from collections.abc import Mapping
from typing import Final

BPMN: Final = "http://www.omg.org/spec/BPMN/20100524/MODEL"
BPMNDI: Final = "http://www.omg.org/spec/BPMN/20100524/DI"
DC: Final = "http://www.omg.org/spec/DD/20100524/DC"
DI: Final = "http://www.omg.org/spec/DD/20100524/DI"
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
XML: Final = "http://www.w3.org/XML/1998/namespace"
UNPEND: Final = "urn:unpend:bpmn:1"
ZEEBE: Final = "http://camunda.org/schema/zeebe/1.0"
CAMUNDA: Final = "http://camunda.org/schema/1.0/bpmn"

PREFIXES: Final = {
    "bpmn": BPMN,
    "bpmndi": BPMNDI,
    "dc": DC,
    "di": DI,
    "xsi": XSI,
    "unpend": UNPEND,
    "zeebe": ZEEBE,
    "camunda": CAMUNDA,
}
"""The prefixes that are written where a file has none of its own for a namespace."""


def bpmn(name: str) -> str:
    """The tag of an element of BPMN."""
    return f"{{{BPMN}}}{name}"


def namespace_of(tag: str) -> str:
    """The namespace of a tag or an attribute; empty where it has none."""
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def local_name(tag: str) -> str:
    """A tag's name without its namespace."""
    return tag.rpartition("}")[2]


def bpmn_name(tag: str) -> str:
    """The name of an element of BPMN; empty for an element of another namespace."""
    return local_name(tag) if namespace_of(tag) == BPMN else ""


def free_prefix(namespace: str, taken: Mapping[str, str]) -> str:
    """A prefix for a namespace that has none: the usual one, or a number, beside those that are taken."""
    usual = (prefix for prefix, known in PREFIXES.items() if known == namespace)
    numbered = (f"ns{number}" for number in range(1, len(taken) + 2))
    return next(prefix for prefix in (*usual, *numbered) if prefix not in taken)
