"""The definitions the project ships: they can run, and the order's has the seed's steps."""

from pathlib import Path

import pytest
import yaml

from runtime.settings import PROJECT
from schemas.core.definition.reader import read_definition
from statemachine.orders.states import State
from statemachine.workflow.definition import Kind, Workflow

FILES = sorted((PROJECT / "config" / "workflows").glob("*.yaml"))
SEED_STEPS = [
    "step1_receive",
    "step2_validate",
    "step3_contact",
    "step4_check_response",
    "step4_retry_contact",
    "step5_triage",
    "step6_check_confidence",
    "step6_human_review",
    "step7_execute",
    "step8_audit",
]


def read(path: Path) -> Workflow:
    return read_definition(yaml.safe_load(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_definition_can_run_and_stands_in_the_file_of_its_name(path: Path) -> None:
    workflow = read(path)
    assert path.stem == f"{workflow.name}_{workflow.version}"


@pytest.fixture
def pending_task() -> Workflow:
    return read(PROJECT / "config" / "workflows" / "pending_task_1.0.yaml")


def test_the_orders_definition_has_the_seeds_steps_in_the_seeds_order(pending_task: Workflow) -> None:
    assert pending_task.trigger == "task.created"
    assert [step_id for step_id in pending_task.steps if step_id in SEED_STEPS] == SEED_STEPS


def test_the_orders_definition_has_one_first_step_and_asks_a_person_about_every_failure(
    pending_task: Workflow,
) -> None:
    assert pending_task.start == ("step1_receive",)
    assert pending_task.steps["step2_validate"].on_error == "escalate_human"
    assert pending_task.on_error == "escalate_human"
    assert pending_task.steps["escalate_human"].kind is Kind.HUMAN


def test_each_agent_does_the_steps_the_seed_gives_it(pending_task: Workflow) -> None:
    agents = {step_id: pending_task.steps[step_id].agent for step_id in SEED_STEPS}
    assert {step_id: agent for step_id, agent in agents.items() if agent} == {
        "step1_receive": "orchestrator",
        "step2_validate": "orchestrator",
        "step3_contact": "contact",
        "step4_retry_contact": "orchestrator",
        "step5_triage": "triage",
        "step6_human_review": "orchestrator",
        "step7_execute": "action",
        "step8_audit": "audit",
    }


@pytest.mark.parametrize(
    ("confidence", "review", "held"),
    [(0.80, False, True), (0.7999, False, False), (0.99, True, False), (None, False, False)],
)
def test_confidence_is_enough_from_four_fifths_unless_a_review_is_required(
    pending_task: Workflow, confidence: float | None, review: bool, held: bool
) -> None:
    condition = pending_task.steps["step6_check_confidence"].condition
    assert condition is not None
    scope = {**pending_task.variables, "confidence": confidence, "requires_human_review": review}
    assert condition.holds(scope) is held


def test_a_postponed_order_waits_and_is_contacted_again(pending_task: Workflow) -> None:
    gateway = pending_task.steps["step7_check_followup"]
    assert gateway.condition is not None
    assert gateway.condition.holds({"round_ends_in": State.WAITING_FOLLOWUP})
    assert gateway.next == ("step9_followup",)
    assert pending_task.steps["step9_followup"].next == ("step3_contact",)
    assert gateway.otherwise == ("step8_audit",)
