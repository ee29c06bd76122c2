"""The files of the element table outlast an import and an export, unchanged and after a change of the definition."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from schemas.core.bpmn.exporting import export_bpmn
from schemas.core.bpmn.importing import import_bpmn
from schemas.core.bpmn.model import BpmnProcess, Inside
from schemas.core.bpmn.reading import read_model
from schemas.core.bpmn.writing import write_model
from tests.unit.schemas.bpmn.test_importing import FILES


def test_an_id_that_means_something_else_becomes_another_and_is_exported_as_it_was() -> None:
    text = (FILES / "process.shipping.bpmn").read_bytes().replace(b'"done"', b'"end"')
    (found,) = import_bpmn(text).definitions
    assert found.ready
    assert [step["id"] for step in found.body["steps"]] == ["start", "pack", "end_2"]
    assert b'<endEvent id="end">' in export_bpmn(found.body).replace(b"/>", b">")


@pytest.mark.parametrize("path", sorted(FILES.iterdir()), ids=lambda path: path.stem)
def test_a_file_of_each_row_is_exported_as_it_was(path: Path) -> None:
    model = read_model(path.read_bytes())
    found = import_bpmn(path.read_bytes()).definitions
    for process, definition in zip(model.processes, found, strict=True):
        alone = replace(model, processes=(process,))
        assert export_bpmn(definition.body) == write_model(alone)


@pytest.mark.parametrize("path", sorted(FILES.iterdir()), ids=lambda path: path.stem)
def test_a_change_of_the_definition_leaves_the_rest_of_its_file(path: Path) -> None:
    for definition in import_bpmn(path.read_bytes()).definitions:
        changed = {**definition.body, "labels": {"changed": "yes"}}
        (again,) = import_bpmn(export_bpmn(changed)).definitions
        assert {**again.body, "bpmn": None} == {**changed, "bpmn": None}
        now, before = (read_model(export_bpmn(each)).processes[0] for each in (changed, definition.body))
        if path.stem != "event_sub_process":  # One within a sub-process is drawn beside it.
            assert drawn(now) == drawn(before)


def drawn(process: BpmnProcess) -> set[tuple[str, ...]]:
    """The flow nodes with their kinds, hosts and events, and the flows with their conditions."""
    return set(_drawn(process.inside))


def _drawn(inside: Inside) -> Iterator[tuple[str, ...]]:
    for node in inside.nodes:
        yield (node.id, node.kind.value, node.attached_to or "", repr(node.events), node.name)
        if node.inside is not None:
            yield from _drawn(node.inside)
    yield from ((flow.id, flow.source, flow.target, repr(flow.condition)) for flow in inside.flows)
