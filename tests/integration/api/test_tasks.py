"""Work of any kind over the API: asked for, looked at, cancelled, paused, retried (seed 003)."""

import json
from typing import Any

import pytest

from engine.outcomes import Done, Failed, Outcome
from storage.engine.steps import StepRow
from storage.people.rejects import Rejects
from tests.support.api.client import ApiClient
from tests.support.api.general_work import ask, look, work
from tests.support.engine.general_runs import ScriptedActions
from tests.support.factories import PARTS_MISSING, answered, payload


def fields(answer: Any) -> dict[str, str]:
    """The fields a refusal names, with what is wrong."""
    assert answer.status_code == 422, answer.text
    return {fault["field"]: fault["message"] for fault in answer.json()["error"]["details"]["fields"]}


def test_accepted_work_is_created_until_something_of_it_has_begun(works: ApiClient) -> None:
    answer = works.post("/tasks", "operator", json=work(priority=7, timeout_seconds=60))
    body = answer.json()
    assert (body["status"], body["state"], body["verdict"]) == ("created", None, "accepted")
    assert body["task_id"].startswith("exec_")
    assert answer.headers["Location"] == f"/v1/tasks/{body['task_id']}"
    assert (body["task_type"], body["description"], body["priority"]) == ("two_steps", "测试任务", 7)
    assert body["created_by"] == "operator"
    assert body["timeout_at"] is not None
    assert look(works, body["task_id"]) == {
        name: value for name, value in body.items() if name not in ("success", "verdict")
    } | {
        "parameters": {"amount": 3},
        "result": None,
        "error": None,
        "steps": [
            {"step": "first", "title": None, "status": "pending", "started_at": None, "finished_at": None}
        ],
    }


def test_completed_work_shows_what_its_last_step_returned(works: ApiClient, bench: ScriptedActions) -> None:
    bench.answers["second"] = lambda _: Done(output={"total": 12})
    task_id = ask(works)["task_id"]
    works.house.run()
    body = look(works, task_id)
    assert (body["status"], body["result"], body["error"]) == ("completed", {"total": 12}, None)
    assert [(step["step"], step["status"]) for step in body["steps"]] == [
        ("first", "completed"),
        ("second", "completed"),
    ]
    assert body["finished_at"] is not None
    assert body["updated_at"] >= body["finished_at"]


def test_the_first_step_is_given_the_parameters(works: ApiClient, bench: ScriptedActions) -> None:
    seen: list[object] = []

    def remember(step: StepRow) -> Outcome:
        seen.append(dict(step.input))
        return Done()

    bench.answers["first"] = remember
    ask(works, parameters={"amount": 5})
    works.house.run()
    assert seen == [{"amount": 5}]


def test_failed_work_says_why_and_where(works: ApiClient, bench: ScriptedActions) -> None:
    bench.answers["second"] = lambda _: Failed(code="broken", message="客户 13800138000 的数据坏了")
    task_id = ask(works)["task_id"]
    works.house.run()
    body = look(works, task_id)
    assert (body["status"], body["result"]) == ("failed", None)
    assert body["error"] == {"code": "broken", "message": "客户 138****8000 的数据坏了", "step": "second"}


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "parameters.amount"),
        ({"amount": "13800138000"}, "parameters.amount"),
        ({"amount": 0}, "parameters.amount"),
        ({"amount": 1, "colour": "red"}, "parameters.colour"),
    ],
)
def test_parameters_are_held_against_what_the_work_takes(
    works: ApiClient, parameters: dict[str, object], field: str
) -> None:
    answer = works.post("/tasks", json=work(task_type="strict_work", parameters=parameters))
    assert list(fields(answer)) == [field]
    assert "13800138000" not in answer.text


def test_a_task_type_that_names_nothing_is_told_what_there_is(works: ApiClient) -> None:
    said = fields(works.post("/tasks", json=work(task_type="triage.classify_intent")))["task_type"]
    assert "two_steps" in said
    assert "triage.classify_text" in said
    assert "classify_intent" not in said


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"priority": 0}, "priority"),
        ({"priority": 11}, "priority"),
        ({"priority": 10**30}, "priority"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"timeout_seconds": 31 * 24 * 3600 + 1}, "timeout_seconds"),
        ({"description": "x" * 501}, "description"),
        ({"description": ""}, "description"),
        ({"description": "a\x00b"}, "description"),
        ({"description": "\ud800"}, "description"),
        ({"task_type": "\ud800"}, "task_type"),
        ({"task_type": None}, "task_type"),
        ({"task_id": "has space"}, "task_id"),
        ({"task_id": "x" * 33}, "task_id"),
        ({"parameters": []}, "parameters"),
        ({"parameters": {"text": "x" * 16_384}}, "parameters"),
        ({"parameters": {"text": "\x00"}}, "parameters"),
        ({"parameters": {"\ud800": 1}}, "parameters"),
        ({"parameters": {"number": 2**64}}, "parameters"),
        ({"parameters": {"number": -(2**63) - 1}}, "parameters"),
        ({"orderr_id": "SO1"}, "orderr_id"),
    ],
)
def test_work_that_cannot_be_taken_is_refused_by_the_name_of_its_field(
    works: ApiClient, change: dict[str, object], field: str
) -> None:
    assert list(fields(post_raw(works, work() | change))) == [field]


def post_raw(works: ApiClient, body: dict[str, Any]) -> Any:
    """Sent as JSON in ASCII, so that half a character can travel."""
    return works.post("/tasks", content=json.dumps(body), headers={"Content-Type": "application/json"})


@pytest.mark.parametrize("depth", [50, 300, 900, 5_000])
def test_nesting_without_end_is_refused_and_never_a_fault_of_ours(works: ApiClient, depth: int) -> None:
    nested = '{"a":' * depth + "1" + "}" * depth
    body = f'{{"task_type": "two_steps", "description": "d", "parameters": {nested}}}'
    answer = works.post("/tasks", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)


def test_an_error_names_the_fields_of_the_form_that_was_meant(works: ApiClient) -> None:
    assert list(fields(works.post("/tasks", json={"task_type": "two_steps"}))) == ["description"]
    order = payload()
    del order["order_type"]
    assert list(fields(works.post("/tasks", json=order))) == ["order_type"]


def test_the_same_id_with_the_same_body_is_begun_once(works: ApiClient, bench: ScriptedActions) -> None:
    first, again = (ask(works, task_id="job-1") for _ in range(2))
    assert (first["verdict"], again["verdict"]) == ("accepted", "existing")
    assert first["task_id"] == again["task_id"] == "job-1"
    works.house.run()
    assert bench.worked == ["first", "second"]


def test_of_many_at_once_with_the_same_id_one_is_begun(works: ApiClient, bench: ScriptedActions) -> None:
    answers = works.at_once([works.prepare("POST", "/tasks", json=work(task_id="job-1")) for _ in range(8)])
    assert sorted(answer.json()["verdict"] for answer in answers) == ["accepted", *["existing"] * 7]
    works.house.run()
    assert bench.worked == ["first", "second"]


@pytest.mark.parametrize(
    "change",
    [
        {"description": "另一个"},
        {"parameters": {"amount": 4}},
        {"priority": 2},
        {"timeout_seconds": 9},
        {"task_type": "strict_work"},
    ],
)
def test_the_same_id_with_another_body_is_refused_and_kept(
    works: ApiClient, change: dict[str, object]
) -> None:
    ask(works, task_id="job-1")
    answer = works.post("/tasks", json=work(task_id="job-1") | change)
    assert answer.status_code == 409
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "task_id"
    with works.house.database.transaction() as unit:
        (kept,) = Rejects(unit).recent()
    assert kept.task_id == "job-1"


def test_work_cannot_take_the_id_of_an_order(works: ApiClient) -> None:
    body = payload()
    works.post("/tasks", json=body)
    assert works.post("/tasks", json=work(task_id=body["task_id"])).status_code == 409
    run_id = works.house.order(body["task_id"]).run_id
    assert works.post("/tasks", json=work(task_id=run_id)).status_code == 409


def test_a_bare_order_goes_through_the_door_of_orders(works: ApiClient) -> None:
    body = payload(answered(PARTS_MISSING))
    answer = works.post("/tasks", json=body)
    taken = answer.json()
    assert (taken["status"], taken["state"], taken["task_type"]) == ("running", "contacting", "pending_task")
    assert (taken["order_id"], taken["priority"]) == (body["order_id"], 5)
    assert answer.headers["Location"] == f"/v1/tasks/{body['task_id']}"
    works.house.run()
    assert look(works, body["task_id"])["state"] == "waiting_followup"
    again = works.post("/tasks", json=body).json()
    assert (again["verdict"], again["state"]) == ("existing", "waiting_followup")
    assert works.post("/tasks", json=body | {"order_type": "已上门"}).status_code == 409


def test_an_order_with_another_body_is_the_conflict_that_the_start_route_answers(works: ApiClient) -> None:
    order = payload()
    works.post("/tasks", json=order)
    answers = [
        works.post(path, json=order | {"priority": 9})
        for path in ("/tasks", "/agents/orchestrator/tasks/start")
    ]
    assert [answer.status_code for answer in answers] == [409, 409]
    by_either = [answer.json()["error"] for answer in answers]
    assert by_either[0] == by_either[1]
    assert by_either[0]["details"].keys() >= {"current_state", "requested_state", "allowed_transitions"}


def test_pending_task_as_a_task_type_takes_the_body_of_an_order(works: ApiClient) -> None:
    body = payload()
    answer = works.post("/tasks", json=work(task_type="pending_task", parameters=body, priority=9))
    taken = answer.json()
    assert (taken["task_id"], taken["state"], taken["priority"]) == (body["task_id"], "contacting", 9)
    assert taken["description"] == "测试任务"
    assert works.post("/tasks", json=body | {"priority": 9}).json()["verdict"] == "existing"


def test_an_order_in_parameters_is_refused_by_the_names_within_them(works: ApiClient) -> None:
    body = payload()
    del body["order_id"]
    said = fields(works.post("/tasks", json=work(task_type="pending_task", parameters=body)))
    assert list(said) == ["parameters.order_id"]
    said = fields(
        works.post("/tasks", json=work(task_type="pending_task", parameters=payload(priority=3), priority=4))
    )
    assert list(said) == ["priority"]


def test_no_answer_shows_a_phone_number(works: ApiClient) -> None:
    order = payload(metadata={"phone": "13800138123", "pending_reason": "打 13900139456"})
    works.post("/tasks", json=order)
    shown = works.get(f"/tasks/{order['task_id']}").text
    general = ask(works, description="回电 13700137789", parameters={"call": "13700137789", "n": 13700137789})
    shown += str(general) + works.get(f"/tasks/{general['task_id']}").text + works.get("/tasks").text
    assert "138****8123" in shown
    assert "137****7789" in shown
    assert not [number for number in ("13800138123", "13900139456", "13700137789") if number in shown]


def test_an_unknown_task_is_not_found(works: ApiClient) -> None:
    calls = [("GET", ""), ("GET", "/status"), ("POST", "/start")]
    calls += [("POST", f"/{verb}") for verb in ("cancel", "pause", "resume", "retry")]
    assert {works.call(method, f"/tasks/HT404{tail}").status_code for method, tail in calls} == {404}


def test_an_order_is_found_by_the_id_of_its_run(works: ApiClient) -> None:
    body = payload()
    works.post("/tasks", json=body)
    assert look(works, works.house.order(body["task_id"]).run_id)["task_id"] == body["task_id"]


def test_the_short_forms_answer_as_the_long_ones_do(works: ApiClient) -> None:
    body = payload()
    started = works.post("/agents/orchestrator/tasks/start", json=body).json()
    assert works.post(f"/tasks/{body['task_id']}/start").json() == started
    long = works.get(f"/agents/orchestrator/tasks/{body['task_id']}/status").json()
    assert works.get(f"/tasks/{body['task_id']}/status").json() == long


def test_the_body_is_either_of_two_forms_in_the_description(works: ApiClient) -> None:
    operation = works.get("/openapi.json", None).json()["paths"]["/v1/tasks"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert {form["$ref"].rsplit("/", 1)[1] for form in schema["oneOf"]} == {"GeneralTask", "TaskCreated"}
