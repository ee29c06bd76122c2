"""Seed 003's life cycle on executions: created, started, paused, resumed, completed; a failed one is retried."""

from collections.abc import Iterator

import pytest

from engine.outcomes import Done, Failed, Outcome
from storage.engine.steps import StepRow
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.executions import WORKFLOWS, done, refused, see, start
from tests.support.engine.general_runs import ScriptedActions
from tests.support.in_process_fleet import InProcessFleet


@pytest.fixture
def api(database_url: str, bench: ScriptedActions) -> Iterator[ApiClient]:
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=WORKFLOWS)
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


def test_an_execution_is_created_started_paused_resumed_and_completed(
    api: ApiClient, bench: ScriptedActions
) -> None:
    seen: list[str] = []

    def paused_meanwhile(step: StepRow) -> Outcome:
        seen.append(see(api, step.run_id)["status"])
        seen.append(done(api, step.run_id, "pause")["status"])
        return Done(output={"from": "b"})

    bench.answers["b"] = paused_meanwhile
    execution_id = start(api, "line", parameters={"amount": 3}, priority=10, timeout_seconds=60)
    seen.insert(0, see(api, execution_id)["status"])
    api.house.run()
    # What was at work ends; what follows it waits.
    assert bench.worked == ["a", "b"]
    assert {name: n for name, n in see(api, execution_id)["task_stats"].items() if n} == {
        "completed": 2,
        "paused": 1,
    }
    seen.append(done(api, execution_id, "resume")["status"])
    api.house.run()
    seen.append(see(api, execution_id)["status"])
    assert seen == ["created", "running", "paused", "running", "completed"]
    assert bench.worked == ["a", "b", "c"]
    assert api.get(f"/tasks/{execution_id}").json()["status"] == "completed"


def test_a_failed_execution_is_retried_where_it_stopped(api: ApiClient, bench: ScriptedActions) -> None:
    bench.answers["b"] = lambda _: Failed(code="broken", message="坏了")
    execution_id = start(api, "line")
    api.house.run()
    failed = see(api, execution_id)
    assert (failed["status"], failed["error"]) == (
        "failed",
        {"code": "broken", "message": "坏了", "step": "b"},
    )
    bench.answers.clear()
    assert done(api, execution_id, "retry", reason="已修复")["error"] is None
    api.house.run()
    assert see(api, execution_id)["status"] == "completed"
    assert bench.worked == ["a", "b", "b", "c"]
    assert "is completed" in refused(api, execution_id, "retry")


def test_a_created_execution_is_cancelled_and_stays_so(api: ApiClient, bench: ScriptedActions) -> None:
    execution_id = start(api, "line")
    found = done(api, execution_id, "cancel", reason="不再需要")
    assert (found["status"], found["error"]) == ("cancelled", {"code": "cancelled", "message": "不再需要"})
    api.house.run()
    assert bench.worked == []
    assert "is cancelled" in refused(api, execution_id, "resume")
