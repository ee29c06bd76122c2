"""`user_input`, the seed's name of a customer's words, is taken wherever words are classified."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.api.client import ApiClient
from tests.support.api.general_work import look
from tests.support.api.outside_agents import begun, contacted, moved, said
from tests.support.factories import PARTS_MISSING, READY
from tests.support.waiting import wait_until

MEANT = "配件未到"
CLAIMED = {"level1_intent": "暂缓", "level2_intent": MEANT, "confidence": 0.5}

Way = Callable[[ApiClient, str], Any]


def posted(path: str, **more: Any) -> Way:
    return lambda api, task_id: api.post(path, json={"task_id": task_id, "user_input": PARTS_MISSING, **more})


def dispatched(api: ApiClient, task_id: str) -> Any:
    body = {
        "task_id": task_id,
        "target_agent": "triage_agent",
        "action_type": "classify_intent",
        "action_params": {"user_input": PARTS_MISSING},
    }
    return api.post("/agents/orchestrator/tasks/dispatch", "orchestrator", json=body)


OF_AN_ORDER: dict[str, Way] = {
    "classify": posted("/agents/triage/classify"),
    "classify, short": posted("/triage/classify"),
    "tool": lambda api, task_id: api.post(
        "/tools/classify_intent/call",
        json={"input": {"task_id": task_id, "user_input": PARTS_MISSING}},
    ),
    "dispatch": dispatched,
    "transition": lambda api, task_id: moved(
        api, task_id, "responded", "triage.complete", "classified", user_input=PARTS_MISSING
    ),
}
"""Ways to have what the customer of an order said classified, once they have answered."""


@pytest.mark.parametrize("way", OF_AN_ORDER)
def test_the_words_of_an_order_are_what_is_classified(manual: ApiClient, way: str) -> None:
    task_id = begun(manual, "HT1", said("喂"))
    assert contacted(manual, task_id).status_code == 200
    answer = OF_AN_ORDER[way](manual, task_id)
    assert answer.status_code == 200, answer.text
    wait_until(lambda: manual.house.order(task_id).user_intent_l2 == MEANT, "the words are classified")


def test_the_words_of_an_answer_are_what_is_classified(manual: ApiClient) -> None:
    task_id = begun(manual, "HT1")
    answer = moved(manual, task_id, "contacting", "user.responded", "responded", user_input=PARTS_MISSING)
    assert answer.status_code == 200, answer.text
    classified = manual.post("/triage/classify", "triage_agent", json={"task_id": task_id})
    assert classified.json()["classification"]["level2_intent"] == MEANT


def test_the_words_of_a_customer_who_called_are_what_is_classified(api: ApiClient) -> None:
    task_id = begun(api, "HT1", {"result": "no_answer", "transcript": "", "delay_seconds": 0})
    api.house.run()
    body = {"type": "customer_called", "data": {"user_input": PARTS_MISSING}}
    assert api.post(f"/tasks/{task_id}/signals", json=body).status_code == 200
    api.house.run()
    assert api.house.order(task_id).user_intent_l2 == MEANT


ALONE: dict[str, tuple[str, dict[str, Any]]] = {
    "classify_intent": ("triage.classify_text", {}),
    "validate_classification": ("triage.validate_classification", CLAIMED),
}
"""Tools that take words of no order, with the task type that is the same."""


@pytest.mark.parametrize("tool", ALONE)
@pytest.mark.parametrize("name", ["text", "user_input"])
def test_words_of_no_order_are_taken_by_either_name(manual: ApiClient, tool: str, name: str) -> None:
    task_type, more = ALONE[tool]
    given = {name: PARTS_MISSING, **more}
    answer = manual.post(f"/tools/{tool}/call", "triage_agent", json={"input": given})
    assert answer.status_code == 200, answer.text
    body = {"task_type": task_type, "description": "读", "parameters": given}
    task_id = manual.post("/tasks", json=body).json()["task_id"]
    wait_until(lambda: look(manual, task_id)["status"] == "completed", "the task is done")
    assert look(manual, task_id)["result"] == answer.json()["output"]
    assert look(manual, task_id)["parameters"][name] == "****"


@pytest.mark.parametrize("tool", ALONE)
@pytest.mark.parametrize("given", [{}, {"text": READY, "user_input": READY}])
def test_words_are_given_once(manual: ApiClient, tool: str, given: dict[str, str]) -> None:
    body = {"input": {**given, **ALONE[tool][1]}}
    answer = manual.post(f"/tools/{tool}/call", "triage_agent", json=body)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["error"]["details"]["fields"]] == ["parameters.text"]


def test_a_claimed_classification_is_checked_against_the_words(manual: ApiClient) -> None:
    task_id = begun(manual)
    body = {"task_id": task_id, "user_input": PARTS_MISSING, "classification": CLAIMED}
    assert manual.post("/agents/triage/validate", "triage_agent", json=body).json()["valid"] is True


@pytest.mark.parametrize("words", ["", 7, "x" * 4001])
def test_what_is_no_words_is_refused_by_a_dispatch_with_its_field(manual: ApiClient, words: object) -> None:
    body = {
        "task_id": begun(manual),
        "target_agent": "triage_agent",
        "action_type": "classify_intent",
        "action_params": {"user_input": words},
    }
    answer = manual.post("/agents/orchestrator/tasks/dispatch", "orchestrator", json=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "action_params.user_input"
