"""Rerun, skip and retry over HTTP: what is superseded, what stays, and where branches meet again."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.outcomes import Done, Failed, Outcome
from storage.engine.steps import StepRow
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.executions import (
    WORKFLOWS,
    do,
    done,
    refused,
    see,
    start,
    statuses,
    step_id,
)
from tests.support.engine.general_runs import ScriptedActions
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe


@pytest.fixture
def api(database_url: str, bench: ScriptedActions) -> Iterator[ApiClient]:
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=WORKFLOWS)
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


def broken(_: StepRow) -> Outcome:
    return Failed(code="broken", message="坏了")


def test_rerun_supersedes_what_followed_and_keeps_what_was_done_as_history(
    api: ApiClient, bench: ScriptedActions
) -> None:
    def again(_: StepRow) -> Outcome:
        if bench.worked.count("b") == 1:
            done(api, execution_id, "rerun", step="a", input={"second": True})
        return Done(output={"late": True})

    bench.answers["b"] = again
    execution_id = start(api, "line")
    api.house.run()
    assert see(api, execution_id)["status"] == "completed"
    assert statuses(api, execution_id) == [
        ("a", "completed"),
        ("b", "cancelled"),
        ("a", "completed"),
        ("b", "completed"),
        ("c", "completed"),
    ]
    steps = see(api, execution_id, "/steps")["steps"]
    assert steps[2]["output"]["given"] == {"second": True}
    # What the superseded step returned is not recorded.
    assert steps[1]["output"] is None


def test_rerun_gives_the_step_what_it_had_the_last_time(api: ApiClient, bench: ScriptedActions) -> None:
    bench.answers["b"] = broken
    execution_id = start(api, "line", parameters={"amount": 3})
    api.house.run()
    bench.answers.clear()
    assert done(api, execution_id, "rerun", step="a")["status"] == "running"
    api.house.run()
    first, second = (e for e in see(api, execution_id, "/steps")["steps"] if e["step"] == "a")
    assert second["output"] == first["output"]
    assert see(api, execution_id)["status"] == "completed"


@pytest.mark.parametrize("when", ["before the join", "after the join"])
def test_rerun_of_one_branch_meets_the_other_at_the_join_without_doing_it_again(
    api: ApiClient, bench: ScriptedActions, when: str
) -> None:
    held = "right" if when == "before the join" else "both"

    def again(_: StepRow) -> Outcome:
        if bench.worked.count(held) == 1:
            done(api, execution_id, "rerun", step="left")
        return Done(output={"from": held})

    bench.answers[held] = again
    execution_id = start(api, "joined")
    api.house.run()
    assert see(api, execution_id)["status"] == "completed"
    assert (bench.worked.count("left"), bench.worked.count("right"), bench.worked.count("last")) == (2, 1, 1)
    both = [e for e in see(api, execution_id, "/steps")["steps"] if e["step"] == "both"][-1]
    assert both["status"] == "completed"


@pytest.mark.parametrize("verb", ["retry", "rerun"])
def test_a_failed_branch_that_goes_on_meets_the_branch_that_was_done(
    api: ApiClient, bench: ScriptedActions, verb: str
) -> None:
    """What had come to the join was forgotten when the run failed; without it the join would wait for ever."""
    bench.answers["left"] = broken
    api.house.wire.cut = True
    execution_id = start(api, "joined")
    api.house.wire.cut = False
    done(api, execution_id, "skip", step_id=step_id(api, execution_id, "right"), output={"by": "hand"})
    api.house.run()
    assert see(api, execution_id)["status"] == "failed"
    bench.answers.clear()
    done(api, execution_id, verb, **({"step": "left"} if verb == "rerun" else {}))
    api.house.run()
    assert see(api, execution_id)["error"] is None
    assert see(api, execution_id)["status"] == "completed"
    both = next(e for e in see(api, execution_id, "/steps")["steps"] if e["step"] == "both")
    assert both["output"]["given"]["needs"]["right"] == {"by": "hand"}


@pytest.mark.parametrize(
    ("step", "status", "message"),
    [("x", 409, "scope 'box'"), ("nothing", 422, "see details"), ("a", 409, "not entered yet")],
)
def test_rerun_is_refused_where_it_cannot_be(api: ApiClient, step: str, status: int, message: str) -> None:
    execution_id = start(api, "boxed")
    answer = do(api, execution_id, "rerun", step=step)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]
    assert [name for name, _ in statuses(api, execution_id)] == ["box", "x"]


def test_rerun_of_a_scope_cancels_what_is_in_it_and_enters_it_anew(api: ApiClient) -> None:
    execution_id = start(api, "boxed")
    done(api, execution_id, "rerun", step="box")
    api.house.run()
    assert see(api, execution_id)["status"] == "completed"
    assert statuses(api, execution_id) == [
        ("box", "cancelled"),
        ("x", "cancelled"),
        ("box", "completed"),
        ("x", "completed"),
        ("a", "completed"),
    ]


def test_rerun_of_a_paused_execution_begins_nothing_before_it_is_resumed(
    api: ApiClient, bench: ScriptedActions
) -> None:
    execution_id = start(api, "line")
    done(api, execution_id, "pause")
    done(api, execution_id, "rerun", step="a")
    api.house.run()
    assert bench.worked == []
    assert statuses(api, execution_id) == [("a", "cancelled"), ("a", "paused")]
    done(api, execution_id, "resume")
    api.house.run()
    assert bench.worked == ["a", "b", "c"]


def test_a_skipped_step_is_done_with_the_output_that_was_given(
    api: ApiClient, bench: ScriptedActions
) -> None:
    api.house.wire.cut = True
    execution_id = start(api, "line")
    api.house.wire.cut = False
    done(api, execution_id, "skip", step_id=step_id(api, execution_id, "a"), output={"by": "hand"})
    api.house.run()
    assert bench.worked == ["b", "c"]
    steps = see(api, execution_id, "/steps")["steps"]
    assert (steps[0]["status"], steps[0]["output"]) == ("completed", {"by": "hand"})
    assert steps[1]["output"]["given"] == {"by": "hand"}


def test_a_step_at_work_and_one_that_has_ended_are_not_skipped(
    api: ApiClient, bench: ScriptedActions
) -> None:
    seen: list[str] = []

    def at_work(step: StepRow) -> Outcome:
        seen.append(refused(api, step.run_id, "skip", step_id=step.step_id))
        return Done()

    bench.answers["b"] = at_work
    execution_id = start(api, "line")
    api.house.run()
    assert "is at work" in seen[0]
    assert "is done" in refused(api, execution_id, "skip", step_id=step_id(api, execution_id, "c"))


def test_a_skipped_question_is_withdrawn_and_its_decision_followed(
    api: ApiClient, bench: ScriptedActions
) -> None:
    execution_id = start(api, "asked")
    (wait,) = see(api, execution_id)["waiting_for"]
    assert (wait["kind"], wait["step"]) == ("human", "q")
    skip: dict[str, Any] = {"step_id": wait["step_id"]}
    assert do(api, execution_id, "skip", **skip).status_code == 422
    assert do(api, execution_id, "skip", **skip, output={"decision": "perhaps"}).status_code == 422
    done(api, execution_id, "skip", **skip, output={"decision": "yes"})
    api.house.run()
    assert bench.worked == ["a"]
    assert api.get("/interrupts").json()["interrupts"] == []
    assert see(api, execution_id)["waiting_for"] == []


def test_a_skipped_wait_says_which_event_has_come_and_waits_no_more(api: ApiClient) -> None:
    execution_id = start(api, "bell")
    skip: dict[str, Any] = {"step_id": step_id(api, execution_id, "w")}
    for output in ({}, {"catch": 1}, {"catch": "0"}, {"catch": -1}):
        assert do(api, execution_id, "skip", **skip, output=output).status_code == 422
    done(api, execution_id, "skip", **skip, output={"catch": 0})
    api.house.run()
    assert see(api, execution_id)["status"] == "completed"
    assert Probe(api.house.database).value("SELECT count(*) FROM subscriptions") == 0


@pytest.mark.parametrize(("name", "inner"), [("boxed", "x"), ("each", "item")])
def test_what_is_in_a_skipped_step_is_cancelled(
    api: ApiClient, bench: ScriptedActions, name: str, inner: str
) -> None:
    execution_id = start(api, name, parameters={"items": [1, 2]})
    outer = see(api, execution_id, "/steps")["steps"][0]["step_id"]
    done(api, execution_id, "skip", step_id=outer, output={"none": "needed"})
    api.house.run()
    assert inner not in bench.worked
    assert see(api, execution_id)["status"] == "completed"
    assert Probe(api.house.database).value("SELECT count(*) FROM scopes") == 0


def test_an_element_of_a_loop_is_skipped_alone(api: ApiClient, bench: ScriptedActions) -> None:
    api.house.wire.cut = True
    execution_id = start(api, "each", parameters={"items": [1, 2]})
    api.house.wire.cut = False
    done(api, execution_id, "skip", step_id=step_id(api, execution_id, "item"), output={"by": "hand"})
    api.house.run()
    assert bench.worked == ["item", "b"]
    assert see(api, execution_id)["status"] == "completed"


def test_a_failure_that_waits_for_a_person_is_an_incident_and_not_skipped(
    api: ApiClient, bench: ScriptedActions
) -> None:
    bench.answers["a"] = broken
    execution_id = start(api, "kept")
    api.house.run()
    found = see(api, execution_id)
    (incident,) = found["incidents"]
    assert (incident["step"], incident["code"], incident["message"]) == ("a", "broken", "坏了")
    assert (found["status"], found["waiting_for"]) == ("running", [])
    row = step_id(api, execution_id, "$incident")
    assert "interrupt" in refused(api, execution_id, "skip", step_id=row)


def test_rerun_withdraws_the_incident_of_the_step(api: ApiClient, bench: ScriptedActions) -> None:
    bench.answers["a"] = broken
    execution_id = start(api, "kept")
    api.house.run()
    bench.answers.clear()
    assert done(api, execution_id, "rerun", step="a")["incidents"] == []
    api.house.run()
    assert see(api, execution_id)["status"] == "completed"


def test_an_execution_whose_time_ran_out_at_an_incident_is_retried_with_it(
    api: ApiClient, bench: ScriptedActions
) -> None:
    bench.answers["a"] = broken
    execution_id = start(api, "kept", timeout_seconds=60)
    api.house.run()
    Probe(api.house.database).write("UPDATE runs SET deadline_at = clock_timestamp() - interval '1 second'")
    api.house.tick.sweep()
    assert see(api, execution_id)["status"] == "failed"
    assert len(done(api, execution_id, "retry")["incidents"]) == 1
