"""An order that comes with `hold` is checked, kept pending, and begins when it is started (SPEC.md §5)."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from statemachine.orders.states import State
from tasks.forms import EntryPoint, ReadTask, Sender
from tests.support.api.client import ApiClient
from tests.support.api.outside_agents import contacted, driven_from_outside
from tests.support.api.seed_bodies import ANSWERS, REQUESTS
from tests.support.factories import answered, payload
from tests.support.in_process_fleet import InProcessFleet

START = "/agents/orchestrator/tasks/start"
BEGINNING: dict[str, Any] = REQUESTS["TransitionRequested"]


def held(api: ApiClient, **changes: Any) -> str:
    """An order that waits to be started."""
    body = payload(hold=True, **changes)
    answer = api.post(START, "orchestrator", json=body)
    assert answer.status_code == 200, answer.text
    return str(body["task_id"])


def started(api: ApiClient, task_id: str) -> Any:
    return api.post(f"/tasks/{task_id}/start", "orchestrator")


def moved(api: ApiClient, task_id: str) -> Any:
    return api.post("/states/transition", "orchestrator", json={**BEGINNING, "task_id": task_id})


def why(api: ApiClient, task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/tasks/{task_id}/why").json()
    return found


def through(entry_point: EntryPoint) -> Callable[[ApiClient, dict[str, Any]], None]:
    """What takes an order in as this entry point does, from its text on."""

    def take(api: ApiClient, body: dict[str, Any]) -> None:
        house = api.house
        read = house.forms.read_text(house.engine, json.dumps(body), entry_point, Sender())
        assert isinstance(read, ReadTask)
        read.form.accept(house.engine, [read.submission], entry_point)

    return take


ENTRY_POINTS: dict[str, Callable[[ApiClient, dict[str, Any]], Any]] = {
    "tasks/start": lambda api, body: api.post(START, json=body),
    "tasks": lambda api, body: api.post("/tasks", json=body),
    "tasks, by its type": lambda api, body: api.post(
        "/tasks", json={"task_type": "pending_task", "description": "挂起工单", "parameters": body}
    ),
    "tasks/batch": lambda api, body: api.post("/tasks/batch", json={"tasks": [body]}),
    "stream": through(EntryPoint.STREAM),
    "queue": through(EntryPoint.QUEUE),
    "command": through(EntryPoint.COMMAND),
}


@pytest.mark.parametrize("entry_point", ENTRY_POINTS)
def test_a_held_order_is_checked_and_stays_pending_whichever_way_it_comes(
    api: ApiClient, entry_point: str
) -> None:
    body = payload(hold=True)
    ENTRY_POINTS[entry_point](api, body)
    api.house.run_to_the_end()
    assert api.house.order(body["task_id"]).status is State.PENDING
    lines = api.get("/agents/audit/logs", params={"task_id": body["task_id"]}).json()["logs"]
    assert {line["event_type"] for line in lines} == {"task_received", "task_validated"}


def test_the_printed_transition_starts_a_held_order_and_is_answered_as_printed(api: ApiClient) -> None:
    api.post(START, "orchestrator", json={**REQUESTS["TaskCreated"], "hold": True})
    answer = api.post("/states/transition", "orchestrator", json=BEGINNING)
    assert answer.status_code == 200, answer.text
    assert answer.json() | {"transition_id": ""} == ANSWERS["TransitionMade"] | {"transition_id": ""}


def test_start_begins_a_held_order_and_the_fleet_carries_it_on(api: ApiClient) -> None:
    task_id = held(api)
    assert started(api, task_id).json() == {
        "success": True,
        "task_id": task_id,
        "status": "contacting",
        "next_action": "contact_user",
        "assigned_agent": "contact_agent",
    }
    api.house.run_to_the_end()
    assert api.house.order(task_id).status is State.CLOSED


def test_the_answer_to_a_held_order_says_that_it_is_to_be_started(api: ApiClient) -> None:
    body = payload(hold=True)
    answer = api.post(START, "orchestrator", json=body).json()
    assert (answer["status"], answer["next_action"]) == ("pending", "start_task")
    assert answer["assigned_agent"] == "orchestrator"
    status = api.get(f"/tasks/{body['task_id']}/status").json()
    assert (status["status"], status["next_action"]) == ("pending", "start_task")


def test_why_says_that_it_waits_to_be_started_and_has_no_deadline(api: ApiClient) -> None:
    task_id = held(api)
    found = why(api, task_id)
    assert (found["wait"], found["until"]) == ("start", None)
    assert f"POST /v1/tasks/{task_id}/start" in found["next"]


def test_a_held_order_is_listed_as_pending(api: ApiClient) -> None:
    task_id = held(api)
    listed = api.get("/tasks", params={"state": "pending"}).json()["tasks"]
    assert [task["task_id"] for task in listed] == [task_id]


def test_a_second_start_answers_with_the_order_as_it_stands(api: ApiClient) -> None:
    task_id = held(api)
    started(api, task_id)
    assert started(api, task_id).json()["status"] == "contacting"
    assert api.house.events(task_id) == ["task.start"]


def test_a_second_transition_is_a_conflict_as_the_state_machine_has_it(api: ApiClient) -> None:
    task_id = held(api)
    moved(api, task_id)
    again = moved(api, task_id)
    assert again.status_code == 409
    assert again.json()["error"]["details"]["current_state"] == "contacting"


def test_many_starts_at_once_begin_it_once(api: ApiClient) -> None:
    task_id = held(api)
    body = {**BEGINNING, "task_id": task_id}
    calls = [api.prepare("POST", f"/tasks/{task_id}/start", "orchestrator") for _ in range(4)]
    calls += [api.prepare("POST", "/states/transition", "orchestrator", json=body) for _ in range(4)]
    answers = api.at_once(calls)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert api.house.events(task_id) == ["task.start"]
    assert len([step for step in api.house.steps(task_id) if step["node"] == "step3_contact"]) == 1


def test_a_held_order_survives_the_restart_of_its_processes(api: ApiClient, database_url: str) -> None:
    task_id = held(api)
    other = InProcessFleet.build(database_url, cipher_key=api.house.settings.cipher_key)
    try:
        other.run()
        assert other.order(task_id).status is State.PENDING
    finally:
        other.close()
    assert started(api, task_id).json()["status"] == "contacting"


def test_the_caller_is_who_started_it(api: ApiClient) -> None:
    task_id = held(api)
    started(api, task_id)
    history = api.get(f"/states/{task_id}/history").json()["transitions"]
    assert [(made["event"], made["agent_id"]) for made in history] == [("task.start", "orchestrator")]


def test_a_held_order_can_be_cancelled_and_is_not_started_then(api: ApiClient) -> None:
    task_id = held(api)
    assert api.post(f"/tasks/{task_id}/cancel", "orchestrator").status_code == 200
    assert started(api, task_id).json()["status"] == "closed"
    assert moved(api, task_id).status_code == 409


def test_a_paused_order_is_started_once_it_is_resumed(api: ApiClient) -> None:
    task_id = held(api)
    api.post(f"/tasks/{task_id}/pause", "orchestrator")
    assert (started(api, task_id).status_code, moved(api, task_id).status_code) == (409, 409)
    api.post(f"/tasks/{task_id}/resume", "orchestrator")
    assert started(api, task_id).json()["status"] == "contacting"


def test_the_same_body_again_answers_with_the_held_order(api: ApiClient) -> None:
    body = payload(hold=True)
    first = api.post(START, json=body).json()
    assert api.post(START, json=body).json() == first
    assert api.post(START, json={**body, "hold": False}).status_code == 409


def test_a_body_that_is_not_held_is_known_as_it_was_before_there_was_hold(api: ApiClient) -> None:
    body = payload(answered())
    api.post(START, json=body)
    assert api.post(START, json={**body, "hold": False}).status_code == 200


def test_a_held_order_that_is_not_valid_goes_to_a_person(api: ApiClient) -> None:
    task_id = held(api, metadata={"phone": None})
    assert why(api, task_id)["wait"] == "person"
    assert moved(api, task_id).status_code == 409


def test_a_held_manual_order_is_the_callers_once_it_is_started(house: InProcessFleet) -> None:
    with driven_from_outside(house) as caller:
        task_id = held(caller)
        assert contacted(caller, task_id).status_code == 409
        started(caller, task_id)
        assert contacted(caller, task_id).json()["result"] == "answered"


@pytest.mark.parametrize("hold", ["true", 1, None])
def test_hold_is_true_or_false_and_nothing_else(api: ApiClient, hold: object) -> None:
    answer = api.post(START, json=payload(hold=hold))
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "hold"
