"""A definition as a BPMN model: drawn, read again, and completed by what BPMN does not say."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from schemas.core.bpmn.exporting.drawing import Drawing, names, objects, said
from schemas.core.bpmn.exporting.levels import DrawnLevel
from schemas.core.bpmn.mapping.process import ReadProcess, read_process
from schemas.core.bpmn.model import BpmnModel, BpmnProcess, FlowNode, Inside, XmlNode
from schemas.core.bpmn.own_fields import CATCH_PART, VERSION, own_fields
from schemas.core.bpmn.writing import write_model
from schemas.core.bpmn.xml.names import PREFIXES, UNPEND
from schemas.core.definition.seed_form import in_our_names

Fields = Mapping[str, Any]
Extend = Callable[[FlowNode], tuple[XmlNode, ...]]

_APART: Final = ("steps", "bpmn")
_PREFIXES: Final = ("bpmn", "xsi", "unpend")


def export_bpmn(body: Fields) -> bytes:
    """The BPMN file of a definition.

    Raises:
        RejectedBpmn: A text has a character that XML cannot hold.
    """
    return write_model(model_of(body))


def model_of(body: Fields) -> BpmnModel:
    """The BPMN model of a definition, with a diagram only where it came with one."""
    return _made(json.loads(json.dumps(in_our_names(body))))


def _made(wanted: dict[str, Any]) -> BpmnModel:
    name = str(wanted.get("workflow", ""))
    drawing = Drawing(nodes={}, taken={name})
    for step in _all_steps(wanted):
        drawing.nodes[step] = drawing.id(step)
    steps = [each for each in objects(wanted.get("steps")) if isinstance(each.get("id"), str)]
    process = BpmnProcess(
        id=name,
        name=said(wanted.get("title")),
        documentation=said(wanted.get("description")),
        attributes={VERSION: said(wanted.get("version"))},
        inside=DrawnLevel(name, steps, frozenset(_led_by_all(wanted)), drawing).inside(),
    )
    model = BpmnModel(
        processes=(process,),
        attributes={"expressionLanguage": UNPEND},
        prefixes={prefix: PREFIXES[prefix] for prefix in _PREFIXES},
        roots=tuple(drawing.roots.values()),
    )
    return _completed(model, wanted, drawing)


def _completed(model: BpmnModel, wanted: Fields, drawing: Drawing) -> BpmnModel:
    """The model with what BPMN does not say: of events, then of steps, then of the whole."""
    read = _read(model)

    def of_event(node: FlowNode) -> tuple[XmlNode, ...]:
        entry = drawing.entries.get(node.id)
        return () if entry is None else own_fields(read.record.entries.get(node.id, {}), entry, CATCH_PART)

    model = _extended(model, of_event)
    read = _read(model)

    def of_step(node: FlowNode) -> tuple[XmlNode, ...]:
        step = drawing.steps.get(node.id)
        if step is None:
            return ()
        return own_fields(_of_itself(read.record.steps.get(node.id, {})), _of_itself(step))

    model = _extended(model, of_step)
    whole = own_fields(
        _read(model).read, {name: value for name, value in wanted.items() if name not in _APART}
    )
    process = model.processes[0]
    return replace(model, processes=(replace(process, extensions=(*process.extensions, *whole)),))


def _read(model: BpmnModel) -> ReadProcess:
    return read_process(model.processes[0], model)


def _of_itself(step: Fields) -> Fields:
    return {name: value for name, value in step.items() if name != "steps"}


def _extended(model: BpmnModel, extend: Extend) -> BpmnModel:
    process = model.processes[0]
    return replace(model, processes=(replace(process, inside=_extended_inside(process.inside, extend)),))


def _extended_inside(inside: Inside, extend: Extend) -> Inside:
    nodes = (
        replace(
            node,
            extensions=(*node.extensions, *extend(node)),
            inside=None if node.inside is None else _extended_inside(node.inside, extend),
        )
        for node in inside.nodes
    )
    return replace(inside, nodes=tuple(nodes))


def _all_steps(around: Fields) -> Iterator[str]:
    for step in objects(around.get("steps")):
        if isinstance(step.get("id"), str):
            yield step["id"]
            yield from _all_steps(step)


def _led_by_all(wanted: Fields) -> Iterator[str]:
    """The steps that the whole leads to when something breaks in."""
    yield from names(wanted.get("on_error"))
    for entry in objects(wanted.get("on")):
        yield from names(entry.get("next"))
