"""A BPMN file as definitions: all of its processes, or none."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from schemas.core.bpmn.exporting.models import model_of
from schemas.core.bpmn.importing.found import ImportedDefinition, ImportedFile
from schemas.core.bpmn.mapping.foreign import camunda, zeebe
from schemas.core.bpmn.mapping.process import ReadProcess, read_process
from schemas.core.bpmn.mapping.record import is_step, nodes_of
from schemas.core.bpmn.model import BpmnModel, BpmnProcess, FlowNode, Inside, XmlNode
from schemas.core.bpmn.own_diagram import without_made
from schemas.core.bpmn.own_fields import is_own
from schemas.core.bpmn.problems import BpmnProblem, RejectedBpmn
from schemas.core.bpmn.reading import read_model
from schemas.core.bpmn.writing import write_model
from schemas.core.bpmn.xml.names import local_name
from schemas.core.definition.reader import examined_definition
from statemachine.workflow.checks.faults import MOST_STEPS

_READ: Final = frozenset(
    {
        *map(zeebe.zeebe, ("taskDefinition", "ioMapping", "taskHeaders", "assignmentDefinition")),
        *map(zeebe.zeebe, ("calledElement", "script")),
        *map(camunda.camunda, ("formData", "inputOutput")),
    }
)
"""The extensions of flow nodes that are read."""


def import_bpmn(text: bytes) -> ImportedFile:
    """The definitions of a file, with what is open in them.

    Raises:
        RejectedBpmn: The file, or an element of it, is none that can be kept.
    """
    return definitions_of(read_model(text))


def definitions_of(model: BpmnModel) -> ImportedFile:
    """The definitions of a model; what only a drawing or another tool has is kept in their `bpmn`.

    Raises:
        RejectedBpmn: Two of its processes would have one name, or one has too many steps.
    """
    model = without_made(model)
    for process in model.processes:
        count = sum(map(is_step, nodes_of(process.inside)))
        if count > MOST_STEPS:
            words = f"the process has {count:,} steps, and may have {MOST_STEPS:,}"
            raise RejectedBpmn(BpmnProblem(message=words, line=process.line or None, element=process.id))
    read = [read_process(process, model) for process in model.processes]
    names = [each.body["workflow"] for each in read]
    for name, process in zip(names, model.processes, strict=True):
        if names.count(name) > 1:
            words = f"several processes would be the workflow '{name}'; give them other ids"
            raise RejectedBpmn(BpmnProblem(message=words, line=process.line or None, element=process.id))
    found = zip(read, model.processes, strict=True)
    return ImportedFile(
        definitions=tuple(_definition(each, process, model) for each, process in found),
        notes=tuple(note for each in read for note in each.notes) + tuple(_kept(model)),
    )


def _definition(read: ReadProcess, process: BpmnProcess, model: BpmnModel) -> ImportedDefinition:
    lines = {node.id: node for node in nodes_of(process.inside)}
    by_step = {step: lines.get(node) for node, step in read.record.ids.items()}
    plain = {name: value for name, value in read.body.items() if name != "open_points"}
    found = (
        _fault(fault.message, by_step.get(fault.step_id or "")) for fault in examined_definition(plain).faults
    )
    return ImportedDefinition(
        body=_with_file(read.body, replace(model, processes=(process,))),
        open_points=(*(problem for _, problem in read.record.points), *found),
        flow_nodes=len(lines),
    )


def _fault(message: str, node: FlowNode | None) -> BpmnProblem:
    return BpmnProblem(
        message=message,
        line=None if node is None else node.line or None,
        element=None if node is None else node.id,
    )


def _with_file(body: dict[str, Any], model: BpmnModel) -> dict[str, Any]:
    """The definition, with its file where an export would not make the same file of it."""
    text = write_model(model)
    if write_model(model_of(body)) == text:
        return body
    *fields, (name, steps) = body.items()
    return {**dict(fields), "bpmn": {"file": text.decode("utf-8")}, name: steps}


def _kept(model: BpmnModel) -> Iterator[BpmnProblem]:
    """What is kept and does nothing."""
    for process in model.processes:
        yield from _inside(process.inside)
    yield from _noted(model.collaboration)


def _inside(inside: Inside) -> Iterator[BpmnProblem]:
    ends = {end for pair in inside.associations for end in pair}
    yield from _noted(each for each in inside.kept if not ends & {*each.attributes.values()})
    for node in inside.nodes:
        yield from _noted(node.kept)
        yield from _noted(each for each in node.extensions if not is_own(each) and each.tag not in _READ)
        if node.inside is not None:
            yield from _inside(node.inside)


def _noted(kept: Iterable[XmlNode]) -> Iterator[BpmnProblem]:
    for each in kept:
        yield BpmnProblem(
            message=f"<{local_name(each.tag)}> is kept, and nothing runs by it",
            line=each.line or None,
            element=each.attributes.get("id") or each.attributes.get("name"),
        )
