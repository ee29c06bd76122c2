"""A definition as a BPMN model: drawn, read again, and completed by what BPMN does not say."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from schemas.core.bpmn.exporting.drawing import Drawing
from schemas.core.bpmn.exporting.kept import KeptFile
from schemas.core.bpmn.exporting.levels import DrawnLevel
from schemas.core.bpmn.exporting.written import names, objects, said
from schemas.core.bpmn.mapping.process import NOT_EXECUTABLE, ReadProcess, read_process
from schemas.core.bpmn.model import BpmnModel, BpmnProcess, FlowNode, Inside, XmlNode
from schemas.core.bpmn.own_fields import CATCH_PART, VERSION, is_own, own_fields
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
    wanted = json.loads(json.dumps(in_our_names(body)))
    kept = wanted.pop("bpmn", {})
    file = kept.get("file") if isinstance(kept, dict) else None
    if not isinstance(file, str):
        return _drawn(wanted, None)
    known = KeptFile.of(file, wanted)
    return known.model if known.says(wanted) else _drawn(wanted, known)


def _drawn(wanted: dict[str, Any], kept: KeptFile | None) -> BpmnModel:
    name = str(wanted.get("workflow", ""))
    drawing = Drawing(nodes={}, taken={name}, kept=kept)
    if kept is not None:
        drawing.taken |= kept.ids
    for step in _all_steps(wanted):
        known = None if kept is None else kept.nodes.get(step)
        drawing.nodes[step] = drawing.id(step) if known is None else known.id
    steps = [each for each in objects(wanted.get("steps")) if isinstance(each.get("id"), str)]
    if kept is not None:
        steps = [step for step in steps if step["id"] not in kept.invented]
    before = None if kept is None else kept.process.inside
    inside = DrawnLevel(name, steps, frozenset(_led_by_all(wanted)), drawing, before).inside()
    process = BpmnProcess(
        id=name,
        name=said(wanted.get("title")),
        documentation=said(wanted.get("description")),
        attributes={VERSION: said(wanted.get("version"))},
        inside=inside,
    )
    model = BpmnModel(
        processes=(process,),
        attributes={"expressionLanguage": UNPEND},
        prefixes={prefix: PREFIXES[prefix] for prefix in _PREFIXES},
        roots=tuple(drawing.roots.values()),
    )
    return _completed(model if kept is None else _beside(model, kept, wanted), wanted, drawing)


def _beside(model: BpmnModel, kept: KeptFile, wanted: Fields) -> BpmnModel:
    """The model with what the file has beside its flow nodes; its diagram where all of it is still there."""
    before, process = kept.process, model.processes[0]
    is_open = NOT_EXECUTABLE in (point.get("message") for point in objects(wanted.get("open_points")))
    same_version = kept.read.read["version"] == process.attributes[VERSION]
    process = replace(
        before,
        id=before.id if kept.read.read["workflow"] == process.id else process.id,
        is_executable=before.is_executable or not is_open,
        name=process.name,
        documentation=process.documentation,
        attributes={**before.attributes, **({} if same_version else process.attributes)},
        extensions=tuple(each for each in before.extensions if not is_own(each)),
        inside=process.inside,
    )
    known = {root.attributes.get("id") for root in kept.model.roots}
    return replace(
        kept.model,
        processes=(process,),
        roots=(*kept.model.roots, *(root for root in model.roots if root.attributes["id"] not in known)),
        diagrams=kept.model.diagrams if _ids(before.inside) == _ids(process.inside) else (),
    )


def _ids(inside: Inside) -> frozenset[str]:
    inner = (_ids(node.inside) for node in inside.nodes if node.inside is not None)
    own = {node.id for node in inside.nodes} | {flow.id for flow in inside.flows}
    return frozenset(own).union(*inner)


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
