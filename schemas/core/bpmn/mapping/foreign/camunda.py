"""What Camunda 7 writes into BPMN files."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from schemas.core.bpmn.mapping.foreign.elements import Open, placed, read_value, within
from schemas.core.bpmn.model import BpmnProcess, FlowNode, Loop, XmlNode
from schemas.core.bpmn.xml.names import CAMUNDA

_TYPES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "string": {"type": "string"},
        "long": {"type": "integer"},
        "boolean": {"type": "boolean"},
        "date": {"type": "string"},
        "enum": {"type": "string"},
    }
)


def camunda(name: str) -> str:
    """The name of an element or attribute of Camunda 7."""
    return f"{{{CAMUNDA}}}{name}"


def work(node: FlowNode, left_open: Open) -> dict[str, Any]:
    """The topic that an external task has."""
    topic = node.attributes.get(camunda("topic"), "").strip()
    if not topic:
        return {}
    if "${" in topic or "#{" in topic:
        left_open(f"the topic '{topic}' is calculated; name the capability")
        return {}
    return {"agent": {"capability": topic[:64]}}


def data(node: FlowNode, left_open: Open) -> dict[str, Any]:
    """What a task is given, and what is kept of what it returns."""
    fields: dict[str, Any] = {}
    for tag, field in (("inputParameter", "parameters"), ("outputParameter", "save")):
        for each in within(node.extensions, camunda(tag)):
            name = each.attributes.get("name", "")
            value = _value(each, left_open)
            if not name:
                continue
            if field == "save":
                fields.setdefault(field, {})[name] = value
            else:
                placed(fields.setdefault(field, {}), name, value)
    return fields


def _value(node: XmlNode, left_open: Open) -> Any:
    """A text, a list, a map; a script is never run."""
    for child in node.children:
        if child.tag == camunda("list"):
            return [read_value(each.text, left_open) for each in child.children]
        if child.tag == camunda("map"):
            return {
                each.attributes.get("key", ""): read_value(each.text, left_open) for each in child.children
            }
        left_open("a script gives a value, and scripts are never run; write an expression")
        return None
    return read_value(node.text.strip(), left_open)


def assignment(node: FlowNode) -> tuple[str, str]:
    """To whom a task is assigned, and to which groups, as written."""
    return node.attributes.get(camunda("assignee"), ""), node.attributes.get(camunda("candidateGroups"), "")


def form(node: FlowNode) -> dict[str, Any]:
    """The fields of a form as a JSON Schema."""
    properties: dict[str, Any] = {}
    required: list[str] = []
    for field in within(node.extensions, camunda("formField")):
        name = field.attributes.get("id", "")
        if not name:
            continue
        described = dict(_TYPES.get(field.attributes.get("type", "string"), {}))
        if label := field.attributes.get("label", ""):
            described["title"] = label
        if values := [each.attributes.get("id", "") for each in within(field.children, camunda("value"))]:
            described["enum"] = values
        if any(
            each.attributes.get("name") == "required"
            for each in within(field.children, camunda("constraint"))
        ):
            required.append(name)
        properties[name] = described
    if not properties:
        return {}
    return {"properties": properties, **({"required": required} if required else {})}


def collection(loop: Loop) -> tuple[str, str]:
    """The collection of a multi-instance loop, and what an element of it is called."""
    return loop.attributes.get(camunda("collection"), ""), loop.attributes.get(camunda("elementVariable"), "")


def version(process: BpmnProcess) -> str:
    """The version of a process."""
    return process.attributes.get(camunda("versionTag"), "")
