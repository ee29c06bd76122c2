"""The purposes that a product needs of a definition: what lacks one is refused with file and line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.settings import PROJECT
from schemas.core.definition.file import read_definition_file
from statemachine.orders.purposes import Purpose
from statemachine.workflow.definition import MalformedWorkflow
from tasks.registry import NEEDS_OF_TRIGGER

SHIPPED = PROJECT / "config" / "workflows" / "pending_task_1.0.yaml"


def line_of(text: str, wanted: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if wanted in line)


def problems(folder: Path, change: Callable[[str], str]) -> list[str]:
    """What is wrong with the shipped definition once it is changed so, without the folder's name."""
    path = folder / "changed.yaml"
    path.write_text(change(SHIPPED.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(MalformedWorkflow) as refusal:
        read_definition_file(path, NEEDS_OF_TRIGGER)
    return [problem.removeprefix(f"{folder}/") for problem in refusal.value.problems]


def test_the_shipped_definition_has_the_purposes_that_orders_need() -> None:
    _, workflow = read_definition_file(SHIPPED, NEEDS_OF_TRIGGER)
    assert [workflow.step_for(purpose).title for purpose in Purpose] == ["意图识别", "人工复核"]


def test_a_missing_purpose_is_told_with_the_line_of_the_steps(tmp_path: Path) -> None:
    line = line_of(SHIPPED.read_text(encoding="utf-8").replace("    purpose: answer\n", ""), "steps:")
    assert problems(tmp_path, lambda text: text.replace("    purpose: answer\n", "")) == [
        (
            f"changed.yaml:{line}:1: no step has the purpose 'answer', "
            "which needs a step of type action with the action triage.classify_intent"
        )
    ]


def test_a_purpose_of_another_kind_of_step_is_told_with_the_line_of_that_step(tmp_path: Path) -> None:
    def change(text: str) -> str:
        return text.replace("    purpose: review\n", "").replace(
            "title: 执行动作\n", "title: x\n    purpose: review\n"
        )

    line = line_of(change(SHIPPED.read_text(encoding="utf-8")), "- id: step7_execute")
    assert problems(tmp_path, change) == [
        (
            f"changed.yaml:{line}:5: step 'step7_execute' has the purpose 'review' and is not "
            "a step of type human with the action orchestrator.decide_review"
        )
    ]


def test_a_definition_that_no_order_begins_with_needs_no_purpose(tmp_path: Path) -> None:
    path = tmp_path / "general.yaml"
    text = SHIPPED.read_text(encoding="utf-8").replace("trigger: task.created\n", "")
    path.write_text(text.replace("    purpose: answer\n", ""), encoding="utf-8")
    _, workflow = read_definition_file(path, NEEDS_OF_TRIGGER)
    assert workflow.trigger == ""
