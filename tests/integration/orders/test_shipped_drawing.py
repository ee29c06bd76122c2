"""The orders' definition as a BPMN file: the same definition, readable elsewhere, and a run of it ends the same."""

from pathlib import Path
from typing import Any

import SpiffWorkflow
from lxml import etree
from SpiffWorkflow.bpmn.parser import BpmnParser

from engine.definitions.states import move
from runtime.settings import PROJECT
from schemas.core.bpmn.importing import import_bpmn
from schemas.core.definition.text import read_yaml
from statemachine.workflow.states import DefinitionEvent
from tasks.flows.bpmn_export import bpmn_of
from tasks.flows.bpmn_import import BpmnImport, ImportOutcome
from tests.support.factories import READY, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

WRITTEN = PROJECT / "config" / "workflows" / "pending_task_1.0.yaml"
DRAWN = WRITTEN.with_suffix(".bpmn")
SCHEMA = Path(SpiffWorkflow.__file__).parent / "bpmn" / "parser" / "schema" / "BPMN20.xsd"


def written() -> dict[str, Any]:
    return dict(read_yaml(WRITTEN.read_text(encoding="utf-8")).body)


def test_the_file_is_what_an_export_of_the_definition_gives() -> None:
    assert DRAWN.read_bytes() == bpmn_of(written()), "unpend workflow export pending_task@1.0 -o FILE"


def test_the_file_comes_back_as_the_same_definition() -> None:
    (imported,) = import_bpmn(DRAWN.read_bytes()).definitions
    assert (imported.ready, imported.body) == (True, written())


def test_the_file_satisfies_the_schema_of_the_omg_and_is_read_by_another_engine() -> None:
    schema = etree.XMLSchema(etree.parse(SCHEMA))
    schema.assertValid(etree.fromstring(DRAWN.read_bytes()))
    parser = BpmnParser()
    parser.add_bpmn_str(DRAWN.read_bytes())
    assert parser.get_process_ids() == ["pending_task"]
    assert {"step3_contact", "step5_triage"} <= set(parser.get_spec("pending_task").task_specs)


def test_an_order_ends_by_the_drawing_as_it_does_by_the_text(house: InProcessFleet) -> None:
    ended = []
    for version in ("1.0", "9"):
        order = submission(silent(), answered(READY))
        house.accept(order)
        house.run_to_the_end()
        task_id = order.body.task_id
        assert (
            Probe(house.database).value("SELECT version FROM runs WHERE subject_id = %s", task_id) == version
        )
        ended.append((house.order(task_id).status, house.events(task_id)))
        text = DRAWN.read_bytes().replace(b'unpend:version="1.0"', b'unpend:version="9"')
        taken = BpmnImport(house.database, house.engine.definition_rules).take(text, actor="test")
        assert taken.outcome is ImportOutcome.READY
        with house.database.transaction() as work:
            move(work, house.engine.definition_rules, "pending_task", "9", DefinitionEvent.ACTIVATE)
        house.engine.catalogue.forget()
    assert ended[0] == ended[1]
    assert ended[0][0] == "closed"
