"""Orders come in over HTTP and are asked after, in the seed's bodies (seed 000 section 四)."""

import re
from typing import Any

import pytest

from statemachine.orders.machine import allowed_from
from statemachine.orders.states import State
from tests.support.api.client import ApiClient
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, payload, silent
from tests.support.probe import Probe

START = "/agents/orchestrator/tasks/start"
SEED_BODY = {
    "task_id": "HT20260313001",
    "order_id": "SO20260313001",
    "order_type": "未上门",
    "contact_count": 0,
    "last_contact_time": None,
    "metadata": {"customer_id": "CUST001", "phone": "138****0000", "pending_reason": "用户要求改约"},
}


def status(api: ApiClient, task_id: str) -> dict[str, Any]:
    answer = api.get(f"/agents/orchestrator/tasks/{task_id}/status")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_seeds_request_is_answered_field_for_field(api: ApiClient) -> None:
    answer = api.post(START, "orchestrator", json=SEED_BODY)
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "task_id": "HT20260313001",
        "status": "contacting",
        "next_action": "contact_user",
        "assigned_agent": "contact_agent",
    }


def test_accepted_means_that_the_order_stands_in_the_database(api: ApiClient) -> None:
    api.post(START, json=SEED_BODY)
    assert api.house.order("HT20260313001").status == "contacting"


def test_the_same_body_again_answers_with_the_order_as_it_stands(api: ApiClient) -> None:
    body = payload(answered(READY))
    api.post(START, json=body)
    api.house.run_to_the_end()
    again = api.post(START, json=body)
    assert again.status_code == 200
    assert again.json() == {
        "success": True,
        "task_id": body["task_id"],
        "status": "closed",
        "next_action": "none",
        "assigned_agent": None,
    }


def test_the_same_body_sent_many_times_at_once_begins_one_run(api: ApiClient) -> None:
    body = payload()
    answers = api.at_once([api.prepare("POST", START, json=body) for _ in range(20)])
    assert [answer.status_code for answer in answers] == [200] * 20
    assert api.house.events(body["task_id"]) == ["task.start"]


def test_another_body_under_the_same_task_id_is_a_conflict_with_the_field_named(api: ApiClient) -> None:
    body = payload()
    api.post(START, json=body)
    answer = api.post(START, json=body | {"priority": 9})
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert error["code"] == "STATE_CONFLICT"
    assert error["details"]["task_id"] == body["task_id"]
    assert error["details"]["current_state"] == "contacting"
    assert error["details"]["requested_state"] == "contacting"
    assert {way["event"] for way in error["details"]["allowed_transitions"]} == {
        row.event for row in allowed_from(State.CONTACTING)
    }
    assert [fault["field"] for fault in error["details"]["fields"]] == ["task_id"]


def test_an_order_with_an_open_task_is_a_conflict_that_names_the_task(api: ApiClient) -> None:
    first = payload()
    api.post(START, json=first)
    answer = api.post(START, json=payload(order_id=first["order_id"]))
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "STATE_CONFLICT"
    assert first["task_id"] in answer.json()["error"]["message"]
    details = answer.json()["error"]["details"]
    assert (details["current_state"], details["requested_state"]) == (None, "contacting")
    assert details["allowed_transitions"] == []


def test_an_order_nobody_can_call_is_accepted_and_waits_for_a_person(api: ApiClient) -> None:
    answer = api.post(START, json=payload(metadata={"phone": None}))
    assert answer.status_code == 200
    assert answer.json() | {"task_id": ""} == {
        "success": True,
        "task_id": "",
        "status": "pending",
        "next_action": "human_review",
        "assigned_agent": "orchestrator",
    }


def test_an_order_a_person_is_asked_about_says_so_when_it_is_sent_again(api: ApiClient) -> None:
    body = payload(answered("喂？听不清，你说什么"))
    api.post(START, json=body)
    api.house.run()
    again = api.post(START, json=body).json()
    assert (again["next_action"], again["assigned_agent"]) == ("human_review", "orchestrator")


def test_a_batch_of_many_orders_at_once_is_accepted_each_with_its_own_answer(api: ApiClient) -> None:
    bodies = [payload() for _ in range(60)]
    answers = api.at_once([api.prepare("POST", START, json=body) for body in bodies])
    assert [answer.json()["task_id"] for answer in answers] == [body["task_id"] for body in bodies]


def test_the_status_has_the_seeds_fields_and_no_others(api: ApiClient) -> None:
    body = payload(answered(PARTS_MISSING))
    api.post(START, json=body)
    api.house.run()
    found = status(api, body["task_id"])
    assert list(found) == ["task_id", "status", "progress", "next_action", "created_at", "updated_at"]
    assert found["status"] == "waiting_followup"
    assert found["next_action"] == "wait_followup"
    confidence = found["progress"].pop("confidence")
    assert 0.8 <= confidence <= 1
    assert found["progress"] == {
        "contact_count": 1,
        "max_contacts": 4,
        "last_contact_result": "responded",
        "user_intent": "暂缓",
    }


@pytest.mark.parametrize("field", ["created_at", "updated_at"])
def test_moments_are_in_utc_with_z(api: ApiClient, field: str) -> None:
    body = payload()
    api.post(START, json=body)
    moment = status(api, body["task_id"])[field]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", moment)


def test_before_the_first_contact_there_is_no_result_no_intent_and_no_confidence(api: ApiClient) -> None:
    body = payload()
    api.post(START, json=body)
    progress = status(api, body["task_id"])["progress"]
    assert progress["contact_count"] == 1
    assert progress["last_contact_result"] is progress["user_intent"] is progress["confidence"] is None


def test_an_attempt_in_vain_shows_its_result(api: ApiClient) -> None:
    body = payload(silent("busy"))
    api.post(START, json=body)
    api.house.execute(api.house.wire.messages.popleft())
    found = status(api, body["task_id"])
    assert found["progress"]["last_contact_result"] == "busy"
    assert (found["status"], found["next_action"]) == ("no_response", "retry_contact")


def test_a_cancellation_in_its_undo_window_shows_what_will_be_done(api: ApiClient) -> None:
    body = payload(answered(CANCEL))
    api.post(START, json=body)
    api.house.run()
    found = status(api, body["task_id"])
    assert (found["status"], found["next_action"]) == ("classified", "cancel_order")


def test_the_status_of_an_unknown_task_is_not_found(api: ApiClient) -> None:
    answer = api.get("/agents/orchestrator/tasks/HT404/status")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


def test_the_request_id_goes_with_the_run(api: ApiClient) -> None:
    body = payload()
    api.post(START, json=body, headers={"X-Request-ID": "upstream-17"})
    run_id = api.house.order(body["task_id"]).run_id
    found = Probe(api.house.database).value("SELECT request_id FROM runs WHERE run_id = %s", run_id)
    assert found == "upstream-17"
