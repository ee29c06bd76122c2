"""Cancel, pause, resume, retry and time out: orders and general work alike."""

import time
from typing import Any

import pytest

from engine.outcomes import Done, Failed, Outcome
from statemachine.workflow.states import OPEN_RUNS
from storage.access.system_audit import SystemAudit
from storage.engine.runs import Runs
from storage.engine.steps import StepRow
from storage.orders.order_view import OrderView
from tests.support.api.client import ApiClient
from tests.support.api.general_work import ask, look
from tests.support.engine.general_runs import ScriptedActions, nodes_of
from tests.support.factories import PARTS_MISSING, READY, answered, payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

UNCLEAR = "喂？听不清，你说什么"


def steer(api: ApiClient, task_id: str, verb: str, **options: Any) -> Any:
    return api.post(f"/tasks/{task_id}/{verb}", "operator", **options)


def order(api: ApiClient, *words: str, **changes: Any) -> str:
    """An order that was taken in."""
    body = payload(*(answered(each) for each in words), **changes)
    assert api.post("/tasks", json=body).status_code == 200
    task_id: str = body["task_id"]
    return task_id


def run_for(house: InProcessFleet, seconds: float, run_id: str) -> None:
    """Sweep until the run has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        house.tick.sweep()
        with house.database.transaction() as work:
            (run,) = Runs(work).lock([run_id])
        if run.state not in OPEN_RUNS:
            return
    raise AssertionError(f"run {run_id} goes on")


def test_cancelled_work_ends_with_the_reason_and_its_steps_with_it(
    works: ApiClient, bench: ScriptedActions
) -> None:
    task_id = ask(works)["task_id"]
    answer = steer(works, task_id, "cancel", json={"reason": "不再需要"})
    assert answer.status_code == 200
    assert answer.json()["status"] == "cancelled"
    assert answer.json()["error"] == {"code": "cancelled", "message": "不再需要"}
    assert [step["status"] for step in answer.json()["steps"]] == ["cancelled"]
    works.house.run()
    assert bench.worked == []
    with works.house.database.transaction() as work:
        (entry,) = SystemAudit(work).recent(what="task.cancel")
    assert (entry.actor, entry.detail["task_id"]) == ("operator", task_id)


def test_a_reason_need_not_be_given(works: ApiClient) -> None:
    assert steer(works, ask(works)["task_id"], "cancel").json()["status"] == "cancelled"
    assert steer(works, ask(works)["task_id"], "cancel", json={}).json()["status"] == "cancelled"
    answer = steer(works, ask(works)["task_id"], "cancel", json={"reason": "a\x00b"})
    assert answer.status_code == 422


@pytest.mark.parametrize("kind", ["work", "order"])
def test_what_is_paused_begins_nothing_until_it_is_resumed(
    works: ApiClient, bench: ScriptedActions, kind: str
) -> None:
    task_id = ask(works)["task_id"] if kind == "work" else order(works, READY)
    assert steer(works, task_id, "pause").json()["status"] == "paused"
    works.house.run()
    assert look(works, task_id)["status"] == "paused"
    assert steer(works, task_id, "resume").json()["status"] in ("created", "running")
    works.house.run()
    assert look(works, task_id)["status"] == "completed"


@pytest.mark.parametrize("kind", ["work", "order"])
@pytest.mark.parametrize("verb", ["cancel", "pause", "resume", "retry"])
def test_what_is_so_already_is_answered_as_it_stands(works: ApiClient, kind: str, verb: str) -> None:
    task_id = ask(works)["task_id"] if kind == "work" else order(works, READY)
    first, again = (steer(works, task_id, verb) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    outcome = "applied" if verb in ("cancel", "pause") else "repeated"
    assert first.json()["outcome"] == outcome
    assert again.json() == {**first.json(), "outcome": "repeated"}


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume", "retry"])
def test_completed_work_cannot_be_steered(works: ApiClient, verb: str) -> None:
    task_id = ask(works)["task_id"]
    works.house.run()
    answer = steer(works, task_id, verb)
    assert answer.status_code == 409
    details = answer.json()["error"]["details"]
    assert (details["current_state"], details["allowed_transitions"]) == ("completed", [])


@pytest.mark.parametrize("verb", ["cancel", "pause", "resume", "retry"])
def test_a_closed_order_cannot_be_steered(works: ApiClient, verb: str) -> None:
    task_id = order(works, READY)
    works.house.run()
    answer = steer(works, task_id, verb)
    assert answer.status_code == 409
    details = answer.json()["error"]["details"]
    assert (details["current_state"], details["status"]) == ("closed", "completed")
    assert details["allowed_transitions"] == []


def test_failed_work_goes_on_at_the_failed_step(works: ApiClient, bench: ScriptedActions) -> None:
    def fail_first(step: StepRow) -> Outcome:
        return Failed(code="broken", message="no") if bench.worked.count("second") == 1 else Done()

    bench.answers["second"] = fail_first
    task_id = ask(works)["task_id"]
    works.house.run()
    conflict = steer(works, task_id, "resume").json()["error"]["details"]
    assert conflict["allowed_transitions"] == [{"event": "retry", "to_state": "running"}]
    assert steer(works, task_id, "retry").json()["error"] is None
    works.house.run()
    assert look(works, task_id)["status"] == "completed"
    assert bench.worked == ["first", "second", "second"]


def test_paused_work_is_resumed_and_not_retried(works: ApiClient) -> None:
    task_id = ask(works)["task_id"]
    steer(works, task_id, "pause")
    answer = steer(works, task_id, "retry")
    assert answer.status_code == 409
    assert "resume" in answer.json()["error"]["message"]


def test_an_order_whose_step_failed_is_let_try_again(works: ApiClient) -> None:
    task_id = order(works, READY, metadata={"phone": None})
    (review,) = works.get("/reviews", params={"task_id": task_id}).json()["reviews"]
    assert "retry" in review["decisions"]
    assert steer(works, task_id, "retry").status_code == 200
    decided = works.get(f"/reviews/{review['review_id']}").json()
    assert (decided["state"], decided["decided_by"]) == ("decided", "operator")
    assert nodes_of(works.house, works.house.order(task_id).run_id)["step2_validate"] == ["failed", "failed"]


def test_a_question_that_is_not_about_a_failure_waits_for_its_own_decision(works: ApiClient) -> None:
    task_id = order(works, UNCLEAR)
    works.house.run()
    answer = steer(works, task_id, "retry")
    assert answer.status_code == 409
    assert "waits for a person" in answer.json()["error"]["message"]
    (review,) = works.get("/reviews", params={"task_id": task_id}).json()["reviews"]
    assert review["state"] == "open"


def test_every_intervention_in_an_order_leaves_its_line(works: ApiClient) -> None:
    task_id = order(works, PARTS_MISSING)
    for verb in ("pause", "resume", "cancel"):
        steer(works, task_id, verb, json={"reason": "试"} if verb == "cancel" else None)
    with works.house.database.transaction() as work:
        lines = [(row["event_type"], row["agent_id"]) for row in OrderView(work).audit_lines(task_id)]
    assert lines[-3:] == [
        ("task_paused", "operator"),
        ("task_resumed", "operator"),
        ("task_completed", "operator"),
    ]


def test_work_that_is_not_done_in_its_time_has_failed(works: ApiClient, bench: ScriptedActions) -> None:
    task_id = ask(works, timeout_seconds=1)["task_id"]
    message = works.house.wire.messages.popleft()
    claimed = works.house.engine.registry.get(message.action)
    batch = works.house.engine.claim(claimed, message.keys, "lease_of_a_slow_worker")
    assert batch is not None
    run_for(works.house, 10, task_id)
    body = look(works, task_id)
    assert (body["status"], body["error"]["code"]) == ("failed", "timed_out")
    assert [step["status"] for step in body["steps"]] == ["cancelled"]
    works.house.engine.record(batch, works.house.engine.work(claimed, batch))
    assert look(works, task_id)["steps"] == body["steps"]


def test_work_whose_time_was_up_gets_its_time_anew_when_it_is_retried(works: ApiClient) -> None:
    task_id = ask(works, timeout_seconds=1)["task_id"]
    works.house.wire.lose_everything()
    run_for(works.house, 10, task_id)
    before = look(works, task_id)["timeout_at"]
    assert steer(works, task_id, "retry").json()["timeout_at"] > before
    works.house.run()
    assert look(works, task_id)["status"] == "completed"


def test_an_order_that_is_not_done_in_its_time_is_closed_and_its_question_withdrawn(works: ApiClient) -> None:
    body = payload(answered(UNCLEAR))
    sent = {
        "task_type": "pending_task",
        "description": "限时",
        "parameters": body,
        "timeout_seconds": 3600,
    }
    assert works.post("/tasks", json=sent).status_code == 200
    task_id = body["task_id"]
    works.house.run()
    assert works.get("/reviews", params={"task_id": task_id}).json()["reviews"]
    Probe(works.house.database).write("UPDATE runs SET deadline_at = clock_timestamp()")
    run_for(works.house, 10, works.house.order(task_id).run_id)
    view = look(works, task_id)
    assert (view["status"], view["state"], view["error"]["code"]) == ("failed", "closed", "timed_out")
    assert works.house.order(task_id).finish_reason == "timed_out"
    (review,) = works.get("/reviews", params={"task_id": task_id, "state": "all"}).json()["reviews"]
    assert review["state"] == "cancelled"
    assert steer(works, task_id, "retry").status_code == 409
