"""What an export draws: files that satisfy the OMG's XSD and load elsewhere, in which a modeller's changes count."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from SpiffWorkflow.bpmn.parser import BpmnParser

from schemas.core.bpmn.exporting import export_bpmn, model_of
from schemas.core.bpmn.importing import import_bpmn
from schemas.core.bpmn.model import ElementKind
from tests.support.bpmn.schema import faults_of
from tests.support.workflow.written_bodies import bodies
from tests.unit.schemas.bpmn.test_exporting_law import there
from tests.unit.schemas.bpmn.test_importing import imported

BY_NAME = {body["workflow"]: body for body in there()}
PENDING = BY_NAME["pending_task"]


def changed(body: dict[str, Any], pattern: str, replacement: str) -> dict[str, Any]:
    """The definition after this has been replaced once in its file."""
    text = export_bpmn(body).decode()
    assert len(re.findall(pattern, text)) == 1, text
    (found,) = import_bpmn(re.sub(pattern, replacement, text).encode()).definitions
    return {step["id"]: step for step in found.body["steps"]}


@pytest.mark.parametrize("body", list(BY_NAME.values()), ids=list(BY_NAME))
def test_an_export_satisfies_the_xsd(body: dict[str, Any]) -> None:
    assert faults_of(export_bpmn(body)) == []


@settings(max_examples=20, deadline=None)
@given(bodies())
def test_the_export_of_any_definition_satisfies_the_xsd(body: dict[str, Any]) -> None:
    assert faults_of(export_bpmn(body)) == []


@pytest.mark.parametrize(
    "name", ["pending_task", "shipped", "told", "prepared", "approved", "polled", "booked"]
)
def test_an_export_loads_in_another_engine(name: str) -> None:
    parser = BpmnParser()
    parser.add_bpmn_str(export_bpmn(BY_NAME[name]))
    assert set(parser.get_process_ids()) >= {name}


def test_a_definition_is_drawn_with_marked_nodes_where_it_has_none() -> None:
    model = model_of(PENDING)
    added = {
        node.id for node in model.processes[0].inside.nodes if "{urn:unpend:bpmn:1}added" in node.attributes
    }
    assert added == {
        "pending_task_start",
        "pending_task_end",
        "pending_task_origin",
        "step6_human_review_decisions",
        "escalate_human_decisions",
    }
    assert not model.diagrams


def test_needs_are_drawn_as_a_parallel_gateway() -> None:
    inside = model_of(BY_NAME["prepared"]).processes[0].inside
    (gate,) = (node for node in inside.nodes if node.kind is ElementKind.PARALLEL_GATEWAY)
    assert {flow.source for flow in inside.flows if flow.target == gate.id} == {"stock", "payment"}
    assert [flow.target for flow in inside.flows if flow.source == gate.id] == ["pack"]


def test_a_condition_that_is_changed_in_a_modeller_counts() -> None:
    found = changed(PENDING, r"contact_result == 'answered'", "contact_result == 'read'")
    assert found["step4_check_response"]["condition"] == "contact_result == 'read'"


def test_a_flow_that_is_led_elsewhere_in_a_modeller_counts() -> None:
    found = changed(PENDING, r'(sourceRef="step9_followup" targetRef=)"step3_contact"', r'\1"step8_audit"')
    assert found["step9_followup"]["next"] == "step8_audit"
    assert found["step9_followup"]["not_before"] == "next_contact_time"


def test_an_answer_that_is_renamed_in_a_modeller_counts() -> None:
    found = changed(PENDING, r'name="retry"', 'name="again"')
    assert next(iter(found["escalate_human"]["decisions"].items())) == ("again", "$origin")


def test_a_title_that_is_changed_in_a_modeller_counts() -> None:
    assert changed(PENDING, "人工复核", "复核")["step6_human_review"]["title"] == "复核"


def test_a_time_that_is_changed_in_a_modeller_counts_though_we_write_it_in_another_form() -> None:
    body = {
        "workflow": "late",
        "version": "1",
        "steps": [{"id": "pause", "type": "wait", "seconds": 90, "next": "on"}, {"id": "on", "type": "pass"}],
    }
    found = changed(body, ">PT90S<", ">PT5M<")
    assert found["pause"] == {"id": "pause", "type": "wait", "events": [{"timer": "PT5M", "next": "on"}]}


def test_a_form_of_branches_holds_only_while_the_flows_say_the_same() -> None:
    body = {
        "workflow": "parted",
        "version": "1",
        "steps": [
            {"id": "split", "type": "gateway", "next": [{"if": "a", "to": "one"}, {"to": ["two"]}]},
            {"id": "one", "type": "pass"},
            {"id": "two", "type": "pass"},
        ],
    }
    (kept,) = import_bpmn(export_bpmn(body)).definitions
    assert kept.body == body
    found = changed(body, ">a</", ">b</")
    assert found["split"] == {
        "id": "split",
        "type": "gateway",
        "condition": "b",
        "next": "one",
        "else": "two",
    }


def test_a_step_that_is_added_to_an_imported_definition_is_drawn_into_its_file() -> None:
    body = dict(imported("only_kept").body)
    steps = [{**step, "next": "weigh"} if step["id"] == "pack" else step for step in body["steps"]]
    body["steps"] = [*steps, {"id": "weigh", "agent": "audit", "action": "check", "next": "done"}]
    text = export_bpmn(body).decode()
    assert 'sourceRef="pack" targetRef="weigh"' in text
    assert 'shop:colour="red"' in text
    assert "BPMNDiagram" not in text  # It has no place for the step; one is made anew.
    (again,) = import_bpmn(text.encode()).definitions
    assert {**again.body, "bpmn": None} == {**body, "bpmn": None}


def test_an_open_point_that_a_person_has_settled_stays_settled() -> None:
    body = {name: value for name, value in imported("open_points").body.items() if name != "open_points"}
    (again,) = import_bpmn(export_bpmn(body)).definitions
    assert "open_points" not in again.body
