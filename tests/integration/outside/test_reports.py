"""Outside agents report on their steps: once, under their lease, and with everything that follows (WORKFLOWS.md §3)."""

from typing import Any

import pytest

from statemachine.workflow.states import RunState
from storage.access.system_audit import SystemAudit
from tasks.flows.outside_work import LATE_REPORT
from tests.support.api.client import ApiClient
from tests.support.api.outside_work import OTHER, OWN, lease_ends, poll, register, say
from tests.support.engine.general_runs import begin, nodes_of, state_of
from tests.support.probe import Probe


def given(api: ApiClient, workflow: str = "refund", **options: Any) -> dict[str, Any]:
    """A step that the agent holds."""
    register(api)
    begin(api.house, workflow, **options)
    (step,) = poll(api)
    return step


def rows(api: ApiClient) -> list[Any]:
    return list(Probe(api.house.database).rows("SELECT * FROM steps ORDER BY step_id"))


def evidence(api: ApiClient) -> list[dict[str, Any]]:
    with api.house.database.transaction() as work:
        return [dict(entry.detail) for entry in SystemAudit(work).recent(what=LATE_REPORT)]


def test_the_same_completion_again_has_the_same_answer_and_changes_nothing(api: ApiClient) -> None:
    step = given(api)
    first = say(api, "complete", step, output={"n": 1})
    before = rows(api)
    second = say(api, "complete", step, output={"n": 1})
    assert (first.status_code, first.json()) == (second.status_code, second.json())
    assert rows(api) == before
    assert evidence(api) == []


def test_completions_of_one_step_at_once_have_one_effect(api: ApiClient) -> None:
    step = given(api)
    calls = [
        api.prepare(
            "POST",
            f"/steps/{step['step_id']}/complete",
            OWN,
            json={"lease_id": step["lease_id"], "output": {"n": n}},
        )
        for n in range(8)
    ]
    assert {answer.json()["outcome"] for answer in api.at_once(calls)} == {"completed"}
    assert Probe(api.house.database).value("SELECT count(*) FROM steps WHERE node = 'inside'") == 1


def test_a_step_goes_to_another_when_its_lease_has_run_out_and_the_first_changes_nothing(
    api: ApiClient,
) -> None:
    step = given(api)
    say(api, "heartbeat", step, progress={"percent": 40})
    lease_ends(api.house)
    register(api, f"{OTHER}.r2", key=OTHER)
    (again,) = poll(api, f"{OTHER}.r2", key=OTHER)
    assert (again["step_id"], again["idempotency_key"]) == (step["step_id"], step["idempotency_key"])
    assert (again["delivery"], again["progress"]) == (2, {"percent": 40})
    before = rows(api)
    answer = say(api, "complete", step, output={"receipt": "R-1", "phone": "13800138000"})
    assert answer.status_code == 409
    assert answer.json()["error"]["details"] == {
        "step_id": step["step_id"],
        "state": "leased",
        "cancelled": False,
    }
    assert rows(api) == before
    assert evidence(api) == [
        {
            "step_id": step["step_id"],
            "lease_id": step["lease_id"],
            "said": {"output": {"receipt": "R-1", "phone": "138****8000"}},
        }
    ]
    assert say(api, "heartbeat", step).status_code == 409
    assert say(api, "complete", again, key=OTHER).json()["outcome"] == "completed"
    assert Probe(api.house.database).value("SELECT crashes FROM steps WHERE node = 'outside'") == 1


def test_a_long_late_report_is_kept_as_its_digest(api: ApiClient) -> None:
    step = given(api)
    lease_ends(api.house)
    assert say(api, "complete", step, output={"words": "x" * 100_000}).status_code == 409
    (kept,) = evidence(api)
    assert kept["said"]["characters"] > 100_000
    assert len(kept["said"]["sha256"]) == 64


def test_a_step_that_loses_every_agent_is_taken_out_after_as_many_crashes_as_any_other(
    api: ApiClient,
) -> None:
    register(api)
    (run_id,) = begin(api.house, "refund")
    deliveries = 0
    while poll(api):
        deliveries += 1
        lease_ends(api.house)
    assert deliveries == api.house.engine.limits.most_crashes + 1
    assert state_of(api.house, run_id) is RunState.FAILED
    assert Probe(api.house.database).value("SELECT error->>'code' FROM runs") == "poison"


def test_an_agent_that_says_it_lives_keeps_its_step(api: ApiClient) -> None:
    step = given(api)
    probe = Probe(api.house.database)
    probe.write("UPDATE leases SET expires_at = clock_timestamp() + interval '1 second'")
    probe.write("UPDATE agents SET heartbeat_at = heartbeat_at - interval '44 seconds'")
    answer = say(api, "heartbeat", step)
    assert answer.json() == {"success": True, "cancelled": False, "lease_seconds": 60.0}
    assert probe.value("SELECT expires_at > clock_timestamp() + interval '50 seconds' FROM leases")
    assert probe.value("SELECT heartbeat_at > clock_timestamp() - interval '40 seconds' FROM agents")


def test_a_cancelled_step_is_refused_and_its_agent_is_told(api: ApiClient) -> None:
    step = given(api)
    api.post(f"/tasks/{step['task_id']}/cancel")
    assert say(api, "heartbeat", step).json()["cancelled"] is True
    before = rows(api)
    answer = say(api, "complete", step, output={"receipt": "R-1"})
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["cancelled"] is True
    assert rows(api) == before
    assert [each["said"] for each in evidence(api)] == [{"output": {"receipt": "R-1"}}]


def test_a_failure_that_may_pass_is_tried_again_as_the_step_says(api: ApiClient) -> None:
    step = given(api, "stubborn")
    failure: dict[str, Any] = {
        "code": "provider_down",
        "message": "13800138000 does not answer",
        "retry": True,
    }
    assert say(api, "fail", step, **failure).json()["outcome"] == "returned"
    assert say(api, "fail", step, **failure).json()["outcome"] == "returned", "the same again"
    api.house.run()
    (again,) = poll(api)
    assert (again["step_id"], again["idempotency_key"]) == (step["step_id"], step["idempotency_key"])
    assert say(api, "fail", again, **failure).json()["outcome"] == "failed"
    assert state_of(api.house, step["task_id"]) is RunState.FAILED
    error = Probe(api.house.database).value("SELECT error FROM runs")
    assert error == {"code": "provider_down", "message": "138****8000 does not answer", "step": "outside"}


def test_a_failure_that_will_not_pass_fails_at_once(api: ApiClient) -> None:
    step = given(api, "stubborn")
    assert say(api, "fail", step, code="no_such_order").json()["outcome"] == "failed"
    assert state_of(api.house, step["task_id"]) is RunState.FAILED


def test_a_step_that_was_given_back_goes_to_another_and_counts_as_no_try(api: ApiClient) -> None:
    step = given(api)
    assert say(api, "release", step).json()["outcome"] == "returned"
    assert poll(api) == [], "not before the tick"
    api.house.run()
    (again,) = poll(api)
    assert again["step_id"] == step["step_id"]
    row = Probe(api.house.database).row("SELECT tries, crashes FROM steps")
    assert (row.tries, row.crashes) == (0, 0)
    assert say(api, "complete", step).status_code == 409
    assert say(api, "complete", again).status_code == 200


def test_a_step_offered_anew_waits_a_whole_time_for_an_agent(api: ApiClient) -> None:
    given(api)
    probe = Probe(api.house.database)
    probe.write("UPDATE steps SET due_at = business_now() - interval '1 hour'")
    lease_ends(api.house)
    row = probe.row(
        "SELECT state, due_clock, due_at > business_now() + interval '23 hours' AS later FROM steps"
    )
    assert tuple(row) == ("offered", "business", True)


def test_another_owners_key_reports_on_no_step_of_ours(api: ApiClient) -> None:
    step = given(api)
    before = rows(api)
    for what in ("complete", "release", "heartbeat"):
        assert say(api, what, step, key=OTHER).status_code == 403
    assert say(api, "fail", step, key=OTHER, code="x").status_code == 403
    assert say(api, "complete", step, key="contact_agent").status_code == 403
    assert rows(api) == before


def test_a_lease_that_is_named_for_another_step_ends_neither(api: ApiClient) -> None:
    register(api, max_concurrent=2)
    register(api, f"{OTHER}.r2", key=OTHER)
    begin(api.house, "refund", runs=2)
    (mine,) = poll(api)
    (theirs,) = poll(api, f"{OTHER}.r2", key=OTHER)
    mixed = {"step_id": theirs["step_id"], "lease_id": mine["lease_id"]}
    assert say(api, "complete", mixed).status_code == 409
    assert say(api, "complete", {**mixed, "lease_id": theirs["lease_id"]}).status_code == 403
    assert Probe(api.house.database).value("SELECT count(*) FROM leases") == 2
    assert say(api, "complete", mine).status_code == 200
    assert say(api, "complete", theirs, key=OTHER).status_code == 200


def test_only_steps_of_outside_agents_are_reported_on(api: ApiClient) -> None:
    step = given(api)
    say(api, "complete", step)
    inside = Probe(api.house.database).value("SELECT step_id FROM steps WHERE node = 'inside'")
    for step_id in (inside, 10**9):
        answer = say(api, "complete", {"step_id": step_id, "lease_id": step["lease_id"]})
        assert answer.status_code == 404
        assert say(api, "heartbeat", {"step_id": step_id, "lease_id": step["lease_id"]}).status_code == 404
    assert say(api, "complete", {"step_id": 2**63, "lease_id": "x"}).status_code == 422
    assert nodes_of(api.house, step["task_id"])["inside"] != ["done"]


@pytest.mark.parametrize(
    "output",
    [
        {"a": "\x00"},
        {"a": 2**64},
        {"a": "x" * 270_000},
        {"a": "字" * 90_000},
        {str(n): n for n in range(10_001)},
        [],
    ],
)
def test_an_output_that_cannot_be_kept_is_refused_and_the_step_stays(api: ApiClient, output: Any) -> None:
    step = given(api)
    assert say(api, "complete", step, output=output).status_code == 422
    assert say(api, "complete", step, output={"list": [{"n": n} for n in range(3_000)]}).status_code == 200
