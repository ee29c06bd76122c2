"""The verbs of executions over HTTP: each at each state, by two people at once, on runs of others and on none."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.outcomes import Done, Failed, Outcome
from storage.access.system_audit import SystemAudit
from storage.engine.steps import StepRow
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.executions import (
    WORKFLOWS,
    do,
    done,
    log_of,
    refused,
    see,
    start,
    statuses,
    step_id,
)
from tests.support.engine.general_runs import ScriptedActions
from tests.support.factories import payload
from tests.support.in_process_fleet import InProcessFleet

NEEDED: dict[str, dict[str, Any]] = {
    "rerun": {"step": "a"},
    "skip": {"step_id": 1},
    "set": {"variables": {"total": 1}},
    "signal": {"name": "paid", "kind": "message"},
}
VERBS = ("pause", "resume", "cancel", "terminate", "retry", "rerun", "skip", "set", "signal")


@pytest.fixture
def api(database_url: str, bench: ScriptedActions) -> Iterator[ApiClient]:
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=WORKFLOWS)
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


def broken(_: StepRow) -> Outcome:
    return Failed(code="broken", message="坏了")


def in_state(api: ApiClient, bench: ScriptedActions, state: str) -> str:
    """An execution that stands so: three steps in a line, or two with a wait for a message between."""
    if state == "failed":
        bench.answers["a"] = broken
    # A wait makes what it is in count as begun at once.
    execution_id = start(api, "line" if state == "created" else "counted", parameters={"order": "A1"})
    if state in ("running", "completed", "failed"):
        api.house.run()
    if state == "completed":
        done(api, execution_id, "signal", kind="message", name="paid", key="A1")
        api.house.run()
    if state in ("paused", "cancelled"):
        done(api, execution_id, {"paused": "pause", "cancelled": "cancel"}[state])
    bench.answers.clear()
    assert see(api, execution_id)["status"] == state
    return execution_id


MAY = {
    "created": {"pause", "cancel", "terminate", "rerun", "skip", "set"},
    "running": {"pause", "cancel", "terminate", "rerun", "skip", "set", "signal"},
    "paused": {"resume", "cancel", "terminate", "rerun", "skip", "set"},
    "completed": set[str](),
    "failed": {"retry", "rerun"},
    "cancelled": set[str](),
}
REPEATED = {
    ("created", "resume"), ("running", "resume"), ("paused", "pause"), ("cancelled", "cancel"),
    ("cancelled", "terminate"),
}  # fmt: skip


@pytest.mark.parametrize("state", MAY)
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_at_each_state_is_done_or_was_so_or_is_a_conflict(
    api: ApiClient, bench: ScriptedActions, state: str, verb: str
) -> None:
    execution_id = in_state(api, bench, state)
    body = {**NEEDED.get(verb, {}), "reason": "测试"}
    if verb == "skip":
        body["step_id"] = see(api, execution_id, "/steps")["steps"][-1]["step_id"]
        body["output"] = {"catch": 0}
    if verb == "signal":
        body["key"] = "A1"
    before = see(api, execution_id)
    answer = do(api, execution_id, verb, **body)
    if (state, verb) in REPEATED or (verb == "retry" and state in ("created", "running")):
        assert answer.status_code == 200
        assert answer.json()["outcome"] == "repeated"
    elif verb in MAY[state]:
        assert answer.status_code == 200, answer.text
        assert answer.json()["outcome"] == "applied"
        assert log_of(api, execution_id, "intervention")[-1] == {
            **log_of(api, execution_id, "intervention")[-1],
            "verb": verb,
            "by": "operator",
            "reason": "测试",
        }
        return
    else:
        assert answer.status_code == 409, answer.text
    after = see(api, execution_id)
    assert {**after, "updated_at": None} == {**before, "updated_at": None}


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_on_an_unknown_execution_is_404(api: ApiClient, verb: str) -> None:
    assert do(api, "RUN404", verb, **NEEDED.get(verb, {})).status_code == 404


@pytest.mark.parametrize("verb", ["terminate", "rerun", "skip", "set", "signal"])
def test_the_run_of_an_order_refuses_what_goes_past_its_state_machine(api: ApiClient, verb: str) -> None:
    body = payload()
    assert api.post("/tasks", json=body).status_code == 200
    execution_id = see(api, body["task_id"])["execution_id"]
    before = see(api, execution_id, "/steps")
    assert "state machine" in refused(api, execution_id, verb, **NEEDED.get(verb, {}))
    assert see(api, execution_id, "/steps") == before


def test_the_run_of_an_order_is_paused_resumed_and_cancelled_as_its_task_is(api: ApiClient) -> None:
    body = payload()
    api.post("/tasks", json=body)
    execution_id = see(api, body["task_id"])["execution_id"]
    assert done(api, execution_id, "pause")["status"] == "paused"
    assert done(api, execution_id, "resume")["status"] in ("created", "running")
    assert done(api, execution_id, "cancel", reason="不再需要")["status"] == "cancelled"
    assert api.get(f"/tasks/{body['task_id']}").json()["state"] == "closed"


def test_a_step_of_another_execution_is_not_skipped(api: ApiClient) -> None:
    one, other = start(api, "line"), start(api, "line")
    assert do(api, one, "skip", step_id=step_id(api, other, "a")).status_code == 404
    assert statuses(api, other) == [("a", "pending")]


def test_terminate_undoes_nothing_where_cancel_does(api: ApiClient, bench: ScriptedActions) -> None:
    def stopped(verb: str) -> list[tuple[str, str]]:
        execution_id = start(api, "undone")
        bench.answers["b"] = lambda step: _verb_meanwhile(api, step, verb)
        api.house.run()
        assert see(api, execution_id)["status"] == "cancelled"
        return statuses(api, execution_id)

    assert ("unpay", "completed") in stopped("cancel")
    assert "unpay" not in dict(stopped("terminate"))


def _verb_meanwhile(api: ApiClient, step: StepRow, verb: str) -> Outcome:
    done(api, step.run_id, verb)
    return Done()


def test_terminate_ends_an_undoing_that_is_under_way(api: ApiClient, bench: ScriptedActions) -> None:
    bench.answers["b"] = lambda step: _verb_meanwhile(api, step, "cancel")
    bench.answers["unpay"] = lambda step: _verb_meanwhile(api, step, "terminate")
    execution_id = start(api, "undone")
    api.house.run()
    assert see(api, execution_id)["status"] == "cancelled"
    assert dict(statuses(api, execution_id))["unpay"] == "cancelled"


def test_set_writes_what_was_declared_with_who_did_and_wakes_what_waits_for_it(
    api: ApiClient, bench: ScriptedActions
) -> None:
    execution_id = start(api, "watched")
    api.house.run()
    assert bench.worked == []
    done(api, execution_id, "set", variables={"total": 3})
    api.house.run()
    assert bench.worked == []
    assert done(api, execution_id, "set", variables={"total": 4})["variables"] == {"total": 4}
    api.house.run()
    assert bench.worked == ["b"]
    history = see(api, execution_id, "/variables")["history"]
    assert [(each["name"], each["value"], each["step"], each["by"]) for each in history] == [
        ("total", 3, None, "operator"),
        ("total", 4, None, "operator"),
    ]


def test_set_takes_all_or_nothing(api: ApiClient, bench: ScriptedActions) -> None:
    execution_id = in_state(api, bench, "running")
    answer = do(api, execution_id, "set", variables={"total": "many", "other": 1, "note": "好"})
    assert answer.status_code == 422
    fields = {each["field"]: each["message"] for each in answer.json()["error"]["details"]["fields"]}
    assert set(fields) == {"variables.total", "variables.other"}
    assert "note, total" in fields["variables.other"]
    assert see(api, execution_id)["variables"] == {"total": 0, "note": ""}
    assert see(api, execution_id, "/variables")["history"] == []


def test_variables_take_no_more_together_than_a_run_may_have(api: ApiClient) -> None:
    execution_id = start(api, "wide")
    for n in range(4):
        done(api, execution_id, "set", variables={f"v{n}": "x" * 262_000})
    answer = do(api, execution_id, "set", variables={"v4": "x" * 262_000})
    assert answer.status_code == 422
    (problem,) = answer.json()["error"]["details"]["fields"]
    assert problem["field"] == "variables"
    assert "1,048,576" in problem["message"]
    assert "artifact_ref" in problem["message"]
    assert see(api, execution_id)["variables"]["v4"] is None
    done(api, execution_id, "set", variables={"v0": None})
    done(api, execution_id, "set", variables={"v4": "x" * 262_000})


def test_what_is_given_to_a_verb_is_counted_in_bytes(api: ApiClient) -> None:
    execution_id = start(api, "wide")
    too_much = {"v0": "字" * 90_000}
    for verb, body in (
        ("skip", {"step_id": step_id(api, execution_id, "a"), "output": too_much}),
        ("set", {"variables": too_much}),
    ):
        answer = do(api, execution_id, verb, **body)
        assert answer.status_code == 422
        assert "270,009" in answer.text
    assert statuses(api, execution_id) == [("a", "pending")]


def test_a_message_reaches_this_execution_alone(api: ApiClient, bench: ScriptedActions) -> None:
    first, second = (start(api, "counted", parameters={"order": "A1"}) for _ in range(2))
    api.house.run()
    assert "waits for" in refused(api, second, "signal", kind="message", name="paid", key="B2")
    assert "waits for" in refused(api, second, "signal", kind="signal", name="paid")
    done(api, second, "signal", kind="message", name="paid", key="A1", payload={"sum": 3})
    api.house.run()
    assert (see(api, first)["status"], see(api, second)["status"]) == ("running", "completed")
    assert "is completed" in refused(api, second, "signal", kind="message", name="paid", key="A1")
    assert log_of(api, second, "signal") == [
        {"step_id": step_id(api, second, "w"), "task_id": "w", "kind": "message", "name": "paid", "key": "A1"}
    ]


def test_what_a_step_is_skipped_with_is_what_it_came_to(database_url: str, bench: ScriptedActions) -> None:
    steps = [
        {"id": "a", "agent": "contact", "action": "check", "next": "b"},
        {"id": "b", "agent": "audit", "action": "check", "next": "c"},
        {"id": "c", "agent": "audit", "action": "check", "parameters": {"total": "${steps.a.total + 1}"}},
    ]
    reading = {"workflow": "reading", "version": "1", "steps": steps}
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=[reading])
    register_keys(house)
    with api_over(house) as api:
        execution_id = start(api, "reading")
        done(api, execution_id, "skip", step_id=step_id(api, execution_id, "a"), output={"total": 25})
        house.run()
        assert bench.worked == ["b", "c"]
        found = api.get(f"/executions/{execution_id}/steps").json()["steps"]
    assert {step["step"]: step["output"] for step in found}["c"]["given"]["total"] == 26
    house.close()


@pytest.mark.parametrize("verb", ["skip", "signal", "terminate", "rerun"])
def test_two_people_at_once_go_one_after_the_other(api: ApiClient, bench: ScriptedActions, verb: str) -> None:
    execution_id = start(api, "bell")
    bodies = {
        "skip": {"step_id": step_id(api, execution_id, "w"), "output": {"catch": 0}},
        "signal": {"name": "rung"},
        "terminate": {},
        "rerun": {"step": "w"},
    }
    calls = [
        api.prepare("POST", f"/executions/{execution_id}/{verb}", who, json=bodies[verb])
        for who in ("operator", "admin")
    ]
    answers = api.at_once(calls)
    codes = sorted(answer.status_code for answer in answers)
    if verb in ("skip", "signal"):
        assert codes == [200, 409]
    else:
        assert codes == [200, 200]
    if verb == "terminate":
        assert sorted(answer.json()["outcome"] for answer in answers) == ["applied", "repeated"]
    if verb == "rerun":
        assert statuses(api, execution_id) == [("w", "cancelled"), ("w", "cancelled"), ("w", "running")]
        done(api, execution_id, "signal", name="rung")
    api.house.run()
    assert bench.worked.count("b") == (0 if verb == "terminate" else 1)


def test_history_says_who_and_why_and_keeps_no_value(api: ApiClient, bench: ScriptedActions) -> None:
    execution_id = in_state(api, bench, "running")
    row = step_id(api, execution_id, "w")
    done(api, execution_id, "set", variables={"note": "口令 13800130000"}, reason="打电话 13800130000")
    done(api, execution_id, "skip", step_id=row, output={"catch": 0, "word": "secret"})
    with api.house.database.transaction() as work:
        entries = [e for e in SystemAudit(work).recent() if e.what.startswith("task.")]
    assert [(e.what, e.actor, set(e.detail)) for e in reversed(entries)] == [
        ("task.set", "operator", {"task_id", "from", "reason", "variables"}),
        ("task.skip", "operator", {"task_id", "from", "reason", "step", "step_id"}),
    ]
    assert "13800130000" not in str(entries)
    assert "secret" not in str(entries)
    assert "13800130000" not in str([see(api, execution_id, each) for each in ("", "/variables", "/log")])
