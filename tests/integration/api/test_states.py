"""The machine over HTTP: looked at, and moved (seed 000 section 三)."""

from typing import Any

import pytest

from api.orders.transitions import EVENT_SCOPES
from schemas.access.scopes import Scope
from statemachine.orders.machine import TRANSITIONS, allowed_from
from statemachine.orders.states import Event, State
from tests.support.agents import OWNERS
from tests.support.api.client import ApiClient
from tests.support.factories import answered, payload

START = "/agents/orchestrator/tasks/start"
TRANSITION = "/states/transition"
LED = {"contact.retry", "contact.max_reached", "followup.time_reached"}
CONCLUDED = {"intent=暂缓", "intent=继续", "intent=终止"}
MADE_BY = {
    "orchestrator": {"task.start", "task.cancel", "task.timeout"} | LED | CONCLUDED,
    "contact_agent": {"user.responded", "user.no_answer"} | LED,
    "triage_agent": {"triage.complete"},
    "action_agent": {"action.execute"} | CONCLUDED,
    "audit_agent": set(),
    "operator": set(),
    "admin": {event.value for event in Event},
}
"""The events each owner's key may make."""


def begun(api: ApiClient) -> str:
    """An order that is being contacted."""
    body = payload()
    assert api.post(START, json=body).status_code == 200
    task_id: str = body["task_id"]
    return task_id


def closed(api: ApiClient) -> str:
    """An order that was carried to its end."""
    body = payload(answered())
    api.post(START, json=body)
    api.house.run_to_the_end()
    task_id: str = body["task_id"]
    return task_id


def asked(task_id: str, source: str, event: str, target: str, **more: Any) -> dict[str, Any]:
    """A transition in the seed's body."""
    return {"task_id": task_id, "from_state": source, "to_state": target, "event": event} | more


def test_the_machine_shows_every_row_of_the_table_and_marks_ours(api: ApiClient) -> None:
    machine = api.get("/states").json()
    assert machine["states"] == [state.value for state in State]
    assert (machine["initial"], machine["terminal"]) == ("pending", ["closed"])
    shown = {(row["from_state"], row["event"]): row for row in machine["transitions"]}
    assert len(shown) == len(machine["transitions"]) == len(TRANSITIONS)
    assert shown["pending", "task.start"] == {
        "from_state": "pending",
        "event": "task.start",
        "to_state": "contacting",
        "guard": "contact_count < max_contacts",
        "ours": False,
    }
    assert shown["pending", "task.cancel"]["ours"] is True


def test_an_orders_state_comes_with_its_version_and_its_ways_out(api: ApiClient) -> None:
    task_id = begun(api)
    found = api.get(f"/states/{task_id}").json()
    assert (found["task_id"], found["current_state"], found["version"]) == (task_id, "contacting", 1)
    ways = {(way["event"], way["to_state"]) for way in found["allowed_transitions"]}
    assert ways == {(row.event.value, row.target.value) for row in allowed_from(State.CONTACTING)}


def test_the_history_holds_every_transition_in_order(api: ApiClient) -> None:
    task_id = closed(api)
    history = api.get(f"/states/{task_id}/history").json()["transitions"]
    assert [(row["version"], row["from_state"], row["to_state"]) for row in history] == [
        (1, "pending", "contacting"),
        (2, "contacting", "responded"),
        (3, "responded", "classified"),
        (4, "classified", "action_taken"),
        (5, "action_taken", "closed"),
    ]
    assert history[0]["transition_id"].startswith("txn_")
    assert history[0]["at"].endswith("Z")


@pytest.mark.parametrize("path", ["/states/HT404", "/states/HT404/history"])
def test_an_unknown_order_is_not_found(api: ApiClient, path: str) -> None:
    answer = api.get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_a_cancellation_is_carried_out_and_answered_in_the_seeds_form(api: ApiClient) -> None:
    task_id = begun(api)
    answer = api.post(
        TRANSITION,
        "orchestrator",
        json=asked(
            task_id,
            "contacting",
            "task.cancel",
            "closed",
            agent_id="orchestrator",
            metadata={"reason": "上游撤单", "timestamp": "2026-03-13T21:00:00Z"},
        ),
    )
    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["success", "task_id", "previous_state", "current_state", "transition_id"]
    assert (body["success"], body["previous_state"], body["current_state"]) == (True, "contacting", "closed")
    last = api.get(f"/states/{task_id}/history").json()["transitions"][-1]
    assert last["transition_id"] == body["transition_id"]
    assert (last["agent_id"], last["metadata"]) == ("orchestrator", {"reason": "上游撤单"})


def test_after_a_cancellation_nothing_of_the_order_is_done(api: ApiClient) -> None:
    task_id = begun(api)
    api.post(TRANSITION, json=asked(task_id, "contacting", "task.cancel", "closed"))
    api.house.run_to_the_end()
    assert api.house.events(task_id) == ["task.start", "task.cancel"]
    assert api.house.order(task_id).finish_reason == "cancelled"


def test_a_closed_order_answers_the_seeds_conflict(api: ApiClient) -> None:
    task_id = closed(api)
    answer = api.post(TRANSITION, json=asked(task_id, "closed", "contact.retry", "contacting"))
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert error["code"] == "STATE_CONFLICT"
    assert error["message"] == "Cannot transition from 'closed' to 'contacting'"
    assert error["details"] == {
        "current_state": "closed",
        "requested_state": "contacting",
        "allowed_transitions": [],
    }


def test_a_from_state_that_is_not_the_orders_is_a_conflict_with_the_ways_out(api: ApiClient) -> None:
    task_id = begun(api)
    answer = api.post(TRANSITION, json=asked(task_id, "pending", "task.cancel", "closed"))
    details = answer.json()["error"]["details"]
    assert answer.status_code == 409
    assert (details["current_state"], details["requested_state"]) == ("contacting", "closed")
    assert {"event": "task.cancel", "to_state": "closed", "guard": "", "ours": True} in details[
        "allowed_transitions"
    ]
    assert api.house.events(task_id) == ["task.start"]


@pytest.mark.parametrize(
    ("event", "target"), [("task.cancel", "contacting"), ("triage.complete", "classified")]
)
def test_a_row_the_table_does_not_have_is_a_conflict(api: ApiClient, event: str, target: str) -> None:
    task_id = begun(api)
    answer = api.post(TRANSITION, json=asked(task_id, "contacting", event, target))
    assert answer.status_code == 409
    assert api.house.events(task_id) == ["task.start"]


def test_what_the_waiting_step_of_a_driven_order_does_not_need_is_refused_in_words(api: ApiClient) -> None:
    task_id = begun(api)
    body = asked(task_id, "contacting", "user.responded", "responded", metadata={"transcript": "可以上门"})
    answer = api.post(TRANSITION, json=body)
    assert answer.status_code == 409
    assert "does not wait for the result of a contact" in answer.json()["error"]["message"]
    assert api.house.events(task_id) == ["task.start"]


def test_two_cancellations_at_once_are_one(api: ApiClient) -> None:
    task_id = begun(api)
    body = asked(task_id, "contacting", "task.cancel", "closed")
    answers = api.at_once([api.prepare("POST", TRANSITION, json=body) for _ in range(2)])
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert api.house.events(task_id) == ["task.start", "task.cancel"]


def test_moving_an_unknown_order_is_not_found(api: ApiClient) -> None:
    answer = api.post(TRANSITION, json=asked("HT404", "pending", "task.start", "contacting"))
    assert answer.status_code == 404


def test_nobody_moves_an_order_in_anothers_name(api: ApiClient) -> None:
    task_id = begun(api)
    body = asked(task_id, "contacting", "task.cancel", "closed", agent_id="audit_agent")
    assert api.post(TRANSITION, "orchestrator", json=body).status_code == 403


@pytest.mark.parametrize("event", Event)
def test_an_event_is_made_by_the_agents_whose_scopes_have_it_and_by_nobody_else(
    api: ApiClient, event: Event
) -> None:
    target = next(row.target for row in TRANSITIONS.values() if row.event is event)
    body = asked("HT404", "pending", event, target)
    answers = {agent: api.post(TRANSITION, agent, json=body) for agent in OWNERS}
    assert {agent: answer.status_code for agent, answer in answers.items()} == {
        agent: 404 if event in MADE_BY[agent] else 403 for agent in OWNERS
    }


def test_every_event_has_its_scopes() -> None:
    assert EVENT_SCOPES.keys() == set(Event)
    assert all(scopes and Scope.STATES not in scopes for scopes in EVENT_SCOPES.values())


def test_one_who_may_not_make_an_event_is_refused_and_changes_nothing(api: ApiClient) -> None:
    task_id = begun(api)
    answer = api.post(TRANSITION, "contact_agent", json=asked(task_id, "contacting", "task.cancel", "closed"))
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "this key may not do this"
    assert api.house.events(task_id) == ["task.start"]


@pytest.mark.parametrize("change", [{"event": "task.explode"}, {"from_state": "lost"}, {"why": "because"}])
def test_what_the_machine_does_not_know_is_named(api: ApiClient, change: dict[str, str]) -> None:
    answer = api.post(TRANSITION, json=asked("HT1", "pending", "task.start", "contacting") | change)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["error"]["details"]["fields"]] == list(change)
