"""Seed 003 line by line: the life of a task, its time limit and what it frees, what a fault is answered with."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import pytest

from api.server.health import HealthReadings
from engine.limits import Limits
from engine.outcomes import Done, Failed, Outcome
from storage.core.database import Database
from storage.engine.steps import StepRow
from tasks.orders.upkeep.retention import retain
from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.general_work import WORKFLOWS, ask, look, work
from tests.support.engine.general_runs import ScriptedActions, definition
from tests.support.factories import payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tools.policies.retention import DataKind

BRANCHES: Final = definition(
    "parallel_branches",
    workflow="branches",
    steps=[
        {"id": "act", "agent": "contact", "action": "check"},
        {"id": "question", "type": "human", "decisions": {"go": "end"}},
        {"id": "pause", "type": "wait", "seconds": 3600},
    ],
)
"""Work of an agent, a question to a person, and a wait, all at once."""
MOST: Final = 3


@pytest.fixture
def works(database_url: str, bench: ScriptedActions) -> Iterator[ApiClient]:
    """The API over a process in which few tasks may wait."""
    house = InProcessFleet.build(
        database_url,
        actions=bench.actions(),
        workflows=(*WORKFLOWS, BRANCHES),
        limits=Limits(most_waiting=MOST),
    )
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


def overdue(api: ApiClient) -> None:
    """Let the time of every task have passed, and the tick see it."""
    Probe(api.house.database).write("UPDATE runs SET deadline_at = clock_timestamp() - interval '1 second'")
    api.house.tick.sweep()


def fleet(api: ApiClient) -> dict[str, Any]:
    # Who asks again in the same second is told what was read before.
    api.app.state.services.of(HealthReadings).whole._seconds = 0.0
    found: dict[str, Any] = api.get("/health", None).json()["fleet"]
    return found


def fill(api: ApiClient) -> None:
    """Ask for work that nobody does, until no more is taken."""
    for _ in range(3 * MOST):
        answer = api.post("/tasks", json=work())
        if answer.status_code != 200:
            return
    raise AssertionError("everything was taken")


# 任务状态生命周期: The states.


def test_a_task_is_created_first(works: ApiClient) -> None:
    assert ask(works)["status"] == "created"


def test_a_created_task_is_running_once_it_is_carried_out(works: ApiClient, bench: ScriptedActions) -> None:
    seen: list[str] = []

    def at_work(step: StepRow) -> Outcome:
        seen.append(look(works, step.run_id)["status"])
        return Done()

    bench.answers["first"] = at_work
    ask(works)
    works.house.run()
    assert seen == ["running"]


def test_a_running_task_that_succeeds_is_completed(works: ApiClient) -> None:
    task_id = ask(works)["task_id"]
    works.house.run()
    assert look(works, task_id)["status"] == "completed"


def test_a_running_task_whose_execution_fails_is_failed(works: ApiClient, bench: ScriptedActions) -> None:
    bench.answers["second"] = lambda _: Failed(code="broken", message="坏了")
    task_id = ask(works)["task_id"]
    works.house.run()
    assert look(works, task_id)["status"] == "failed"


def test_a_running_task_is_cancelled(works: ApiClient, bench: ScriptedActions) -> None:
    def cancelled_meanwhile(step: StepRow) -> Outcome:
        assert works.post(f"/tasks/{step.run_id}/cancel").status_code == 200
        return Done()

    bench.answers["first"] = cancelled_meanwhile
    task_id = ask(works)["task_id"]
    works.house.run()
    assert look(works, task_id)["status"] == "cancelled"
    assert bench.worked == ["first"]


def test_a_created_task_is_cancelled(works: ApiClient) -> None:
    task_id = ask(works)["task_id"]
    assert works.post(f"/tasks/{task_id}/cancel").json()["status"] == "cancelled"


# 任务请求模型: The request.


def test_a_description_is_required(works: ApiClient) -> None:
    answer = works.post("/tasks", json={"task_type": "two_steps"})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["error"]["details"]["fields"]] == ["description"]


def test_a_task_type_is_required(works: ApiClient) -> None:
    """What names none is read as an order, and is none."""
    assert works.post("/tasks", json={"description": "测试"}).status_code == 422


def test_parameters_priority_and_timeout_may_be_left_out(works: ApiClient) -> None:
    answer = works.post("/tasks", json={"task_type": "two_steps", "description": "测试"}).json()
    assert (answer["priority"], answer["timeout_at"]) == (1, None)


@pytest.mark.parametrize(("priority", "status"), [(0, 422), (1, 200), (10, 200), (11, 422)])
def test_a_priority_is_from_1_to_10(works: ApiClient, priority: int, status: int) -> None:
    assert works.post("/tasks", json=work(priority=priority)).status_code == status


# 任务调度与执行流程: Scheduling and execution.


def test_every_task_has_an_id_of_its_own(works: ApiClient) -> None:
    assert ask(works)["task_id"] != ask(works)["task_id"]


def test_a_task_joins_the_queue_of_its_first_step(works: ApiClient) -> None:
    ask(works)
    load = fleet(works)["queues"]["contact"]
    assert load["published"] + load["waiting"] == 1


def test_tasks_are_taken_by_priority(works: ApiClient, bench: ScriptedActions) -> None:
    seen: list[str] = []

    def note(step: StepRow) -> Outcome:
        seen.append(step.run_id)
        return Done()

    bench.answers["first"] = note
    works.house.wire.cut = True
    less, more = (ask(works, priority=priority)["task_id"] for priority in (1, 10))
    works.house.wire.cut = False
    works.house.run()
    assert seen == [more, less]


# 状态查询与轮询最佳实践: Polling.


def test_a_poll_sees_the_final_result_once_the_task_is_not_running(works: ApiClient) -> None:
    task_id = ask(works)["task_id"]
    assert look(works, task_id)["result"] is None
    works.house.run()
    assert look(works, task_id)["result"]["node"] == "second"


# 超时策略与资源清理: Time limits and cleaning up.


def test_a_task_that_ends_in_its_time_is_not_ended_by_it(works: ApiClient) -> None:
    task_id = ask(works, timeout_seconds=60)["task_id"]
    works.house.run()
    overdue(works)
    assert look(works, task_id)["status"] == "completed"


def test_a_task_whose_time_is_up_has_failed_with_the_reason(works: ApiClient) -> None:
    task_id = ask(works, timeout_seconds=60)["task_id"]
    overdue(works)
    found = look(works, task_id)
    assert (found["status"], found["error"]["code"]) == ("failed", "timed_out")


def test_a_task_whose_time_is_up_leaves_no_step_open_and_no_agent_busy(works: ApiClient) -> None:
    task_id = ask(works, task_type="branches", timeout_seconds=60)["task_id"]
    assert fleet(works)["open_steps"] > 0
    overdue(works)
    assert {step["status"] for step in look(works, task_id)["steps"]} == {"cancelled"}
    found = fleet(works)
    assert found["open_steps"] == 0
    assert all(load["published"] + load["waiting"] == 0 for load in found["queues"].values())


def test_a_task_whose_time_is_up_withdraws_its_question(works: ApiClient) -> None:
    ask(works, task_type="branches", timeout_seconds=60)
    assert len(works.get("/reviews").json()["reviews"]) == 1
    overdue(works)
    assert works.get("/reviews").json()["reviews"] == []


def test_a_task_whose_time_is_up_while_it_is_at_work_records_nothing_and_frees_its_lease(
    works: ApiClient, bench: ScriptedActions
) -> None:
    def late(_: StepRow) -> Outcome:
        overdue(works)
        return Done(output={"too": "late"})

    bench.answers["first"] = late
    task_id = ask(works, timeout_seconds=60)["task_id"]
    works.house.run()
    found = look(works, task_id)
    assert (found["status"], found["result"]) == ("failed", None)
    assert bench.worked == ["first"]
    assert list(Probe(works.house.database).values("SELECT count(*) FROM leases")) == [0]


def ended_long_ago(works: ApiClient, bench: ScriptedActions) -> Database:
    """A completed task, one with a question that was cancelled, and one that goes on."""
    bench.answers["act"] = lambda _: Done()
    ask(works)
    cancelled = ask(works, task_type="branches")["task_id"]
    works.house.run()
    works.post(f"/tasks/{cancelled}/cancel")
    ask(works, task_type="branches")
    works.house.run()
    Probe(works.house.database).write("UPDATE runs SET finished_at = finished_at - interval '2 years'")
    return works.house.database


def test_a_task_that_has_ended_is_removed_after_its_retention_with_all_it_left(
    works: ApiClient, bench: ScriptedActions
) -> None:
    database = ended_long_ago(works, bench)
    removed = retain(database, dict.fromkeys(DataKind, timedelta(days=365)))
    assert removed[DataKind.GENERAL_TASKS] == 2
    (going_on,) = works.get("/tasks").json()["tasks"]
    assert (going_on["task_type"], going_on["status"]) == ("branches", "running")
    assert len(works.get("/reviews").json()["reviews"]) == 1


# 常见错误情况: What goes wrong.


def test_a_task_that_is_not_there_is_404(works: ApiClient) -> None:
    answer = works.get("/tasks/T-nobody")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_the_poll_of_a_task_whose_execution_failed_is_answered_with_its_error(
    works: ApiClient, bench: ScriptedActions
) -> None:
    """The seed says 500; the poll itself went well, so ours is 200 with `failed` and the error."""
    bench.answers["first"] = lambda _: Failed(code="broken", message="坏了")
    task_id = ask(works)["task_id"]
    works.house.run()
    answer = works.get(f"/tasks/{task_id}")
    assert answer.status_code == 200
    assert answer.json()["error"] == {"code": "broken", "message": "坏了", "step": "first"}


def test_an_overloaded_system_answers_503_and_says_when_to_come_back(works: ApiClient) -> None:
    fill(works)
    answer = works.post("/tasks", json=work())
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "SERVICE_UNAVAILABLE"
    assert int(answer.headers["Retry-After"]) > 0


def test_what_was_refused_for_overload_left_nothing_and_is_taken_later(works: ApiClient) -> None:
    fill(works)
    body = work(task_id="T1")
    assert works.post("/tasks", json=body).status_code == 503
    assert works.get("/tasks/T1").status_code == 404
    assert works.get("/intake/rejected").json()["rejects"] == []
    works.house.run()
    assert works.post("/tasks", json=body).status_code == 200


def test_a_task_that_is_in_is_answered_in_an_overload_as_well(works: ApiClient) -> None:
    body = work(task_id="T1")
    works.post("/tasks", json=body)
    fill(works)
    assert works.post("/tasks", json=body).json()["verdict"] == "existing"


def test_an_overload_refuses_single_items_of_a_batch(works: ApiClient) -> None:
    fill(works)
    taken = works.post("/tasks/batch", json={"tasks": [work(), payload()]}).json()
    assert [item["verdict"] for item in taken["results"]] == ["rejected", "accepted"]
    assert taken["results"][0]["error"]["code"] == "SERVICE_UNAVAILABLE"


def test_an_overload_by_general_work_refuses_no_order(works: ApiClient) -> None:
    fill(works)
    assert works.post("/agents/orchestrator/tasks/start", json=payload()).status_code == 200


def test_a_tool_that_works_alone_is_refused_in_an_overload(works: ApiClient) -> None:
    body = {"task_type": "triage.classify_text", "description": "读", "parameters": {"text": "在"}}
    while works.post("/tasks", json=body).status_code == 200:
        pass
    answer = works.post("/tools/classify_intent/call", json={"input": {"text": "在"}})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
