"""Tasks that are nothing but one registered action: every process knows them by their name."""

from typing import Any

from engine.catalogue import Catalogue
from tests.support.api.client import ApiClient
from tests.support.api.general_work import ask, look
from tests.support.factories import PARTS_MISSING, READY, answered, payload


def result_of(api: ApiClient, task_type: str, **parameters: Any) -> dict[str, Any]:
    """What the action returned."""
    task_id = ask(api, task_type=task_type, parameters=parameters)["task_id"]
    api.house.run()
    body = look(api, task_id)
    assert body["status"] == "completed", body["error"]
    assert body["task_type"] == task_type
    found: dict[str, Any] = body["result"]
    return found


def test_words_are_classified_as_a_task(works: ApiClient) -> None:
    found = result_of(works, "triage.classify_text", text=PARTS_MISSING)
    assert found["classification"]["level2_intent"] == "配件未到"


def test_a_classification_is_checked_as_a_task(works: ApiClient) -> None:
    found = result_of(
        works,
        "triage.validate_classification",
        text=READY,
        level1_intent="继续",
        level2_intent="可上门",
        confidence=0.9,
    )
    assert found == {"valid": True, "reasons": [], "why": [], "requires_human_review": False}


def test_a_process_that_never_met_an_action_carries_on_its_tasks(works: ApiClient) -> None:
    works.house.engine.catalogue = Catalogue()
    with works.house.database.transaction() as work:
        workflow = works.house.engine.catalogue.version(work, "action:triage.classify_text", "1")
    (step,) = workflow.steps.values()
    assert (step.agent, step.action) == ("triage", "classify_text")


def test_a_report_counts_what_became_of_the_days_orders(works: ApiClient) -> None:
    orders = [payload(answered(words)) for words in (READY, PARTS_MISSING)]
    works.post("/tasks/batch", json={"tasks": orders})
    works.house.run()
    cancelled = payload()
    works.post("/tasks", json=cancelled)
    works.post(f"/tasks/{cancelled['task_id']}/cancel")
    found = result_of(works, "audit.generate_report")
    assert found["orders"] == 3
    assert found["by_status"] == {"closed": 2, "waiting_followup": 1}
    assert found["by_finish_reason"] == {"cancelled": 1, "visit_arranged": 1}
    assert found["by_intent"] == {"暂缓": 1, "继续": 1}
    assert found["contacts_by_result"] == {"answered": 2}
    assert found["contacts_by_method"] == {"phone": 2}
    assert (found["mean_rounds"], found["zone"]) == (1.0, "Asia/Shanghai")


def test_a_report_of_other_days_counts_nothing_of_today(works: ApiClient) -> None:
    works.post("/tasks", json=payload())
    found = result_of(works, "audit.generate_report", **{"from": "2001-01-01", "to": "2001-12-31"})
    assert (found["orders"], found["by_status"], found["mean_rounds"]) == (0, {}, None)
    assert (found["from"], found["to"]) == ("2001-01-01", "2001-12-31")


def test_a_report_whose_days_run_backwards_fails_and_says_so(works: ApiClient) -> None:
    days = {"from": "2026-03-02", "to": "2026-03-01"}
    task_id = ask(works, task_type="audit.generate_report", parameters=days)["task_id"]
    works.house.run()
    body = look(works, task_id)
    assert (body["status"], body["error"]["code"]) == ("failed", "invalid_input")
