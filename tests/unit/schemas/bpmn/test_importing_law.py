"""export(import(file)) keeps the file: unchanged it stays whole, after a change as far as it still holds."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.core.bpmn.exporting import export_bpmn, model_of
from schemas.core.bpmn.importing import definitions_of, import_bpmn
from schemas.core.bpmn.model import BpmnModel, FlowNode, Inside, XmlNode
from schemas.core.bpmn.own_fields import is_own
from schemas.core.bpmn.problems import RejectedBpmn
from schemas.core.bpmn.writing import write_model
from tests.support.bpmn.models import models

CALM = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def nodes(inside: Inside) -> Iterator[FlowNode]:
    for node in inside.nodes:
        yield node
        if node.inside is not None:
            yield from nodes(node.inside)


def foreign(node: FlowNode) -> tuple[XmlNode, ...]:
    return tuple(each for each in node.extensions if not is_own(each))


def without_file(body: Any) -> Any:
    return {name: value for name, value in body.items() if name != "bpmn"}


@settings(max_examples=40, deadline=None, suppress_health_check=CALM)
@given(models())
def test_a_file_is_the_same_after_an_import_and_an_export(model: BpmnModel) -> None:
    try:
        found = definitions_of(model)
    except RejectedBpmn:
        assert len(model.processes) > 1
        return
    for definition, process in zip(found.definitions, model.processes, strict=True):
        alone = replace(model, processes=(process,))
        assert export_bpmn(definition.body) == write_model(alone)


@settings(max_examples=40, deadline=None, suppress_health_check=CALM)
@given(models(), st.data())
def test_a_definition_that_was_changed_is_the_same_after_an_export_and_an_import(
    model: BpmnModel, data: st.DataObject
) -> None:
    alone = replace(model, processes=model.processes[:1])
    (found,) = definitions_of(alone).definitions
    body = json.loads(json.dumps(found.body))
    steps = body["steps"]
    body["labels"] = {"changed": "yes"}
    if steps:
        step = data.draw(st.sampled_from(steps))
        step[data.draw(st.sampled_from(["title", "stage"]))] = "changed"
        if len(steps) > 2 and data.draw(st.booleans()):
            steps.remove(data.draw(st.sampled_from(steps)))
    again = import_bpmn(export_bpmn(body)).definitions[0]
    assert without_file(again.body) == without_file(body)


@settings(max_examples=40, deadline=None, suppress_health_check=CALM)
@given(models())
def test_what_others_wrote_into_a_file_outlasts_a_change_of_the_definition(model: BpmnModel) -> None:
    alone = replace(model, processes=model.processes[:1])
    (found,) = definitions_of(alone).definitions
    drawn = model_of({**found.body, "labels": {"changed": "yes"}})
    now = {node.id: node for node in nodes(drawn.processes[0].inside)}
    for node in nodes(alone.processes[0].inside):
        if node.id in now and now[node.id].kind is node.kind:
            assert foreign(now[node.id]) == foreign(node)
    assert drawn.roots[: len(alone.roots)] == alone.roots
    assert drawn.collaboration == alone.collaboration
