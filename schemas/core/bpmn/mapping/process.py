"""A process as a definition."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from schemas.core.bpmn.mapping.foreign import camunda, zeebe
from schemas.core.bpmn.mapping.level import Level
from schemas.core.bpmn.mapping.names import workflow_name
from schemas.core.bpmn.mapping.record import ProcessRecord
from schemas.core.bpmn.mapping.steps import broken_in, steps_of
from schemas.core.bpmn.model import BpmnModel, BpmnProcess, FlowNode
from schemas.core.bpmn.own_fields import VERSION, completed
from schemas.core.bpmn.problems import BpmnProblem
from schemas.core.definition.body import DefinitionBody
from schemas.core.definition.validation import names_of_fields

Fields = dict[str, Any]

NOT_EXECUTABLE: Final = "the process is not meant to be carried out (isExecutable=false)"
"""The open point of such a process."""

_VERSION: Final = re.compile(r"[0-9][0-9a-z.]{0,15}")
_ORDER: Final = {name: at for at, name in enumerate(names_of_fields(DefinitionBody))}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadProcess:
    """A process as it was read."""

    body: Fields
    read: Fields
    """What BPMN says of the whole."""
    record: ProcessRecord
    notes: tuple[BpmnProblem, ...]


def read_process(process: BpmnProcess, model: BpmnModel) -> ReadProcess:
    """The definition of a process, as far as it can be read."""
    record = ProcessRecord.of(process, model)
    level = Level(process.inside, record, inside_process=True)
    if not process.is_executable:
        words = "the process is not meant to be carried out (isExecutable=false)"
        record.points.append(
            (None, BpmnProblem(message=words, line=process.line or None, element=process.id))
        )
    steps = steps_of(level)
    read: Fields = {"workflow": workflow_name(process.id), "version": "1"}
    if process.name:
        read["title"] = process.name
    if process.documentation:
        read["description"] = process.documentation
    notes: list[BpmnProblem] = []
    tag = process.attributes.get(VERSION) or zeebe.version(process.extensions) or camunda.version(process)
    if _VERSION.fullmatch(tag.removeprefix("v")):
        read["version"] = tag.removeprefix("v")
    elif tag:
        words = f"the version '{tag}' is none of ours, and became 1"
        notes.append(BpmnProblem(message=words, line=process.line or None, element=process.id))
    read |= _beginning(process, record, steps)
    if found := broken_in(level):
        read["on"] = found
    if variables := dict.fromkeys(_saved(record)):
        read["variables"] = variables
    if record.points:
        read["open_points"] = [
            {**({} if step is None else {"step": step}), "message": problem.message}
            for step, problem in record.points
        ]

    def unread(words: str) -> None:
        record.points.append(
            (None, BpmnProblem(message=words, line=process.line or None, element=process.id))
        )

    whole = completed(read, process.extensions, unread)
    body = dict(sorted(whole.items(), key=lambda each: _ORDER.get(each[0], len(_ORDER))))
    return ReadProcess(body={**body, "steps": steps}, read=read, record=record, notes=tuple(notes))


def _beginning(process: BpmnProcess, record: ProcessRecord, steps: list[Fields]) -> Fields:
    """The triggers; with several start events a gateway leads to the one by which a run began."""
    triggered = [(node, trigger) for node, trigger in record.starts if trigger is not None]
    if not triggered:
        return {}
    if len(record.starts) == 1:
        return {"triggers": [triggered[0][1]]}
    name = record.invented(f"{workflow_name(process.id)}_starts")
    plain = [node for node, trigger in record.starts if trigger is None]
    otherwise = plain[0] if plain else record.starts[0][0]
    branches = [
        {"if": f"started_by == '{_quoted(node)}'", "to": record.ids[node.id]} for node, _ in triggered
    ]
    steps.insert(0, {"id": name, "type": "gateway", "next": branches, "else": record.ids[otherwise.id]})
    given = [{"started_by": node.id, "event": "${event}"} for node, _ in triggered]
    return {
        "triggers": [
            {**trigger, "parameters": parameters}
            for (_, trigger), parameters in zip(triggered, given, strict=True)
        ]
    }


def _quoted(node: FlowNode) -> str:
    return node.id.replace("\\", "\\\\").replace("'", "\\'")


def _saved(record: ProcessRecord) -> Iterator[str]:
    """The variables that other tools let steps write."""
    for step in record.steps.values():
        for field in ("save", "set"):
            yield from step.get(field, ())
