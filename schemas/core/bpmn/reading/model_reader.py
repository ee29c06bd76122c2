"""A BPMN file becomes a model."""

from dataclasses import replace
from typing import Final

from schemas.core.bpmn.model import BpmnModel, BpmnProcess, ElementKind, Inside, XmlNode
from schemas.core.bpmn.problems import BpmnProblem, RejectedBpmn
from schemas.core.bpmn.reading.checks import check_ids, check_process
from schemas.core.bpmn.reading.contents import read_inside
from schemas.core.bpmn.reading.context import (
    BpmnReading,
    children_of,
    elements_of,
    elements_within,
    is_true,
    parts_of,
)
from schemas.core.bpmn.reading.flow_nodes import kind_of, read_flow_node
from schemas.core.bpmn.xml.child_order import OF_FLOW_NODE, OF_PROCESS
from schemas.core.bpmn.xml.names import BPMN, BPMNDI, UNPEND, bpmn, bpmn_name, local_name, namespace_of
from schemas.core.bpmn.xml.tree_reader import read_tree

GLOBAL_TASKS: Final = {
    "globalTask": ElementKind.TASK,
    "globalUserTask": ElementKind.USER_TASK,
    "globalManualTask": ElementKind.MANUAL_TASK,
    "globalBusinessRuleTask": ElementKind.BUSINESS_RULE_TASK,
    "globalScriptTask": ElementKind.SCRIPT_TASK,
}
COLLABORATIONS: Final = ("collaboration", "choreography", "globalConversation", "globalChoreographyTask")
_DIAGRAM: Final = f"{{{BPMNDI}}}BPMNDiagram"


def read_model(text: bytes) -> BpmnModel:
    """The model of a BPMN file.

    Raises:
        RejectedBpmn: It is no BPMN, or says what no construct of ours does; with everything, in the file's order.
    """
    file = read_tree(text)
    root = file.root
    if root.tag != bpmn("definitions"):
        raise RejectedBpmn(_no_bpmn(root))
    reading = BpmnReading(
        prefixes=file.prefixes,
        language=root.attributes.get("expressionLanguage"),
        elements={node.attributes["id"]: node for node in elements_within(root) if node.attributes.get("id")},
    )
    check_ids(root, reading)
    processes: list[BpmnProcess] = []
    root_elements = elements_of(root)
    for child in root_elements:
        name = bpmn_name(child.tag)
        if name == "process":
            processes.append(_read_process(child, reading))
        elif name in GLOBAL_TASKS:
            processes.append(_read_global_task(child, GLOBAL_TASKS[name], reading))
    if not processes:
        reading.refuse(root, "has no process; draw one with a start event")
    for process in processes:
        check_process(process, reading)
    if reading.problems:
        raise RejectedBpmn(*sorted(reading.problems, key=lambda problem: problem.line or 0))
    read = ("process", *GLOBAL_TASKS, *COLLABORATIONS)
    attributes = dict(root.attributes)
    if attributes.get("targetNamespace") == UNPEND:
        del attributes["targetNamespace"]
    return BpmnModel(
        processes=tuple(processes),
        attributes=attributes,
        prefixes=file.prefixes,
        roots=tuple(
            child for child in root_elements if bpmn_name(child.tag) not in read and child.tag != _DIAGRAM
        ),
        collaboration=tuple(child for child in root_elements if bpmn_name(child.tag) in COLLABORATIONS),
        diagrams=tuple(child for child in root_elements if child.tag == _DIAGRAM),
    )


def _no_bpmn(root: XmlNode) -> BpmnProblem:
    namespace = namespace_of(root.tag)
    where = f"in the namespace {namespace}" if namespace else "without a namespace"
    return BpmnProblem(
        message=f"<{local_name(root.tag)}>: no BPMN 2.0: the root is {where}, and not <definitions> in {BPMN}",
        line=root.line,
        element=root.attributes.get("id"),
    )


def _read_process(node: XmlNode, reading: BpmnReading) -> BpmnProcess:
    documentation, extensions, others = parts_of(children_of(node))
    known: list[XmlNode] = []
    for child in others:
        if bpmn_name(child.tag) in OF_PROCESS or kind_of(bpmn_name(child.tag)) is not None:
            known.append(child)
        else:
            reading.refuse(child, "is nothing that a process of BPMN 2.0 has")
    attributes = dict(node.attributes)
    attributes.pop("id", None)
    return BpmnProcess(
        id=reading.id_of(node),
        inside=read_inside(tuple(known), reading),
        name=attributes.pop("name", ""),
        documentation=documentation,
        is_executable=is_true(attributes.pop("isExecutable", "true")),
        extensions=extensions,
        attributes=attributes,
        line=node.line,
    )


def _read_global_task(node: XmlNode, kind: ElementKind, reading: BpmnReading) -> BpmnProcess:
    """A process of one task, which has all that the global task had."""
    own = reading.id_of(node)
    attributes = {**node.attributes, "id": f"{own}_task"}
    if language := attributes.pop("scriptLanguage", None):
        attributes["scriptFormat"] = language
    children = children_of(node)
    of_task = tuple(child for child in children if bpmn_name(child.tag) in OF_FLOW_NODE)
    task = read_flow_node(replace(node, attributes=attributes), kind, of_task, None, reading)
    kept = tuple(child for child in children if bpmn_name(child.tag) not in OF_FLOW_NODE)
    inside = Inside(nodes=(task,), kept=kept)
    return BpmnProcess(id=own, inside=inside, name=node.attributes.get("name", ""), line=node.line)
