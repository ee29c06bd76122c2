"""What Camunda 8 (Zeebe) writes into BPMN files."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from schemas.core.bpmn.mapping.foreign.elements import Open, placed, read_value, within
from schemas.core.bpmn.model import FlowNode, XmlNode
from schemas.core.bpmn.xml.names import ZEEBE

_VARIABLE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_MOST_RETRIES: Final = 100


def zeebe(name: str) -> str:
    """The tag of an element of Zeebe."""
    return f"{{{ZEEBE}}}{name}"


def work(node: FlowNode, left_open: Open) -> dict[str, Any]:
    """Who does a job, and how often it is tried."""
    found = next(within(node.extensions, zeebe("taskDefinition")), None)
    kind = "" if found is None else found.attributes.get("type", "").strip()
    if found is None or not kind:
        return {}
    capability = read_value(kind, left_open) if kind.startswith("=") else kind
    if not isinstance(capability, str) or kind.startswith("="):
        left_open(f"the type '{kind}' is calculated; name the capability")
        return {}
    fields: dict[str, Any] = {"agent": {"capability": capability[:64]}}
    tries = found.attributes.get("retries", "").strip()
    if tries.isdigit() and tries.isascii():
        fields["retry"] = {"max_retries": min(max(int(tries[:4]) - 1, 0), _MOST_RETRIES)}
    return fields


def data(node: FlowNode, left_open: Open) -> dict[str, Any]:
    """What a job is given, and what is kept of what it returns."""
    parameters: dict[str, Any] = {}
    for each in within(node.extensions, zeebe("input")):
        source, target = each.attributes.get("source", ""), each.attributes.get("target", "")
        if target:
            placed(parameters, target, read_value(source, left_open))
    headers = {
        each.attributes["key"]: each.attributes.get("value", "")
        for each in within(node.extensions, zeebe("header"))
        if each.attributes.get("key")
    }
    if headers:
        parameters["headers"] = headers
    save: dict[str, Any] = {}
    for each in within(node.extensions, zeebe("output")):
        name = each.attributes.get("target", "")
        if _VARIABLE.fullmatch(name):
            save[name] = read_value(each.attributes.get("source", ""), left_open)
        else:
            left_open(f"the output '{name}' is no name of a variable")
    return {name: value for name, value in (("parameters", parameters), ("save", save)) if value}


def assignment(node: FlowNode) -> tuple[str, str]:
    """To whom a task is assigned, and to which groups, as written."""
    found = next(within(node.extensions, zeebe("assignmentDefinition")), None)
    said: Mapping[str, str] = {} if found is None else found.attributes
    return said.get("assignee", ""), said.get("candidateGroups", "")


def called(node: FlowNode) -> str:
    """The process that is called."""
    found = next(within(node.extensions, zeebe("calledElement")), None)
    return "" if found is None else found.attributes.get("processId", "")


def script(node: FlowNode, left_open: Open) -> dict[str, Any]:
    """A calculation in FEEL and the variable that it sets."""
    found = next(within(node.extensions, zeebe("script")), None)
    name = "" if found is None else found.attributes.get("resultVariable", "")
    if found is None or not _VARIABLE.fullmatch(name):
        return {}
    return {"type": "set", "set": {name: read_value(found.attributes.get("expression", ""), left_open)}}


def loop(kept: tuple[XmlNode, ...]) -> Mapping[str, str]:
    """The collection of a multi-instance loop, and what an element of it is called."""
    found = next(within(kept, zeebe("loopCharacteristics")), None)
    return {} if found is None else found.attributes


def correlation_keys(roots: tuple[XmlNode, ...]) -> Iterator[tuple[str, str]]:
    """The keys of messages by their ids."""
    for root in roots:
        for found in within(root.children, zeebe("subscription")):
            yield root.attributes.get("id", ""), found.attributes.get("correlationKey", "")


def version(extensions: tuple[XmlNode, ...]) -> str:
    """The version of a process."""
    found = next(within(extensions, zeebe("versionTag")), None)
    return "" if found is None else found.attributes.get("value", "")
