"""Executions over HTTP: begun once under a key, shown with their steps, variables and log, listed page by page."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.outcomes import Done, Failed, Outcome
from schemas.access.roles import Role
from storage.engine.steps import StepRow
from tests.support.api.client import ApiClient, api_over, register_keys, register_person
from tests.support.api.executions import WORKFLOWS, act, done, log_of, see, start, statuses, step_id, workflow
from tests.support.engine.general_runs import ScriptedActions
from tests.support.factories import payload
from tests.support.in_process_fleet import InProcessFleet

PHONE = "13800130000"


@pytest.fixture
def api(database_url: str, bench: ScriptedActions) -> Iterator[ApiClient]:
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=WORKFLOWS)
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


def activate(api: ApiClient, body: dict[str, Any]) -> None:
    for path, sent in (
        ("/workflows", body),
        (f"/workflows/{body['workflow']}/{body['version']}/activate", None),
    ):
        assert api.post(path, json=sent).status_code == 200


# Begun.


def test_a_run_is_begun_and_answered_as_an_execution_that_can_be_looked_at(api: ApiClient) -> None:
    answer = api.post("/workflows/counted/start", json={"parameters": {"order": "A1"}, "priority": 7})
    assert answer.status_code == 201
    body = answer.json()
    assert (body["workflow_id"], body["version"], body["outcome"]) == ("counted", "1", "started")
    assert (body["parameters"], body["priority"], body["description"]) == ({"order": "A1"}, 7, "计数")
    shown = api.get(answer.headers["Location"].removeprefix("/v1")).json()
    assert shown == {name: body[name] for name in shown}


def test_the_same_key_begins_one_execution_and_another_body_under_it_is_a_conflict(api: ApiClient) -> None:
    body = {"key": "订单 A1", "parameters": {"order": "A1"}}
    first, second = (api.post("/workflows/counted/start", json=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["outcome"] == "existing"
    assert second.json()["execution_id"] == first.json()["execution_id"]
    other = api.post("/workflows/counted/start", json={**body, "parameters": {"order": "A2"}})
    assert other.status_code == 409
    # The key is one of this workflow.
    assert api.post("/workflows/line/start", json=body).status_code == 201
    assert len(see(api, "", workflow="counted")["executions"]) == 1


def test_many_who_send_the_same_key_at_once_begin_one_execution(api: ApiClient) -> None:
    calls = [api.prepare("POST", "/workflows/line/start", "admin", json={"key": "once"}) for _ in range(8)]
    answers = api.at_once(calls)
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["execution_id"] for answer in answers}) == 1


def test_the_same_request_under_the_header_is_answered_as_before(api: ApiClient) -> None:
    headers = {"Idempotency-Key": "k-1"}
    first, second = (api.post("/workflows/line/start", json={}, headers=headers) for _ in range(2))
    assert second.headers["Idempotent-Replayed"] == "true"
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert len(see(api, "")["executions"]) == 1


def test_an_active_version_can_be_named_and_no_other(api: ApiClient) -> None:
    activate(api, workflow("line", act("a"), version="2"))
    api.post("/workflows", json=workflow("line", act("b"), version="3"))
    assert see(api, start(api, "line"))["version"] == "2"
    assert see(api, start(api, "line", version="1"))["version"] == "1"
    for version in ("3", "9"):
        answer = api.post("/workflows/line/start", json={"version": version})
        assert answer.status_code == 422
        assert [e["field"] for e in answer.json()["error"]["details"]["fields"]] == ["version"]


def test_a_version_is_not_chosen_for_orders(api: ApiClient) -> None:
    answer = api.post("/workflows/pending_task/start", json={"version": "1.0", "parameters": payload()})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("nobody_sent_it", {}, 404),
        ("counted", {"parameters": {"order": 1}}, 422),
        ("line", {"priority": 11}, 422),
        ("line", {"key": ""}, 422),
        ("line", {"key": "a", "task_id": "b"}, 422),
        ("line", {"colour": "red"}, 422),
    ],
)
def test_what_cannot_be_begun_is_refused(
    api: ApiClient, name: str, body: dict[str, Any], status: int
) -> None:
    assert api.post(f"/workflows/{name}/start", json=body).status_code == status
    assert see(api, "")["executions"] == []


# Looked at.


def test_the_steps_are_counted_once_each_as_far_as_they_are(api: ApiClient, bench: ScriptedActions) -> None:
    seen: list[dict[str, int]] = []

    def at_work(step: StepRow) -> Outcome:
        seen.append({name: n for name, n in see(api, step.run_id)["task_stats"].items() if n})
        return Done()

    bench.answers["b"] = at_work
    execution_id = start(api, "line")
    stats = see(api, execution_id)["task_stats"]
    assert stats == {
        "pending": 3, "running": 0, "paused": 0, "completed": 0, "failed": 0, "cancelled": 0, "skipped": 0,
    }  # fmt: skip
    assert done(api, execution_id, "pause")["task_stats"]["paused"] == 1
    done(api, execution_id, "resume")
    api.house.run()
    assert seen == [{"completed": 1, "running": 1, "pending": 1}]
    assert see(api, execution_id)["task_stats"]["completed"] == 3


def test_what_was_not_entered_is_skipped_once_the_execution_has_ended(
    api: ApiClient, bench: ScriptedActions
) -> None:
    bench.answers["b"] = lambda _: Failed(code="broken", message=f"打 {PHONE}")
    execution_id = start(api, "line")
    api.house.run()
    found = see(api, execution_id)
    assert {name: n for name, n in found["task_stats"].items() if n} == {
        "completed": 1,
        "failed": 1,
        "skipped": 1,
    }
    assert found["error"]["code"] == "broken"
    assert PHONE not in str(found)
    assert PHONE not in str(see(api, execution_id, "/log"))


def test_a_step_that_was_entered_for_each_element_counts_once(api: ApiClient) -> None:
    execution_id = start(api, "each", parameters={"items": [1, 2, 3]})
    assert sum(see(api, execution_id)["task_stats"].values()) == 2
    api.house.run()
    assert see(api, execution_id)["task_stats"]["completed"] == 2
    elements = [e for e in see(api, execution_id, "/steps")["steps"] if e["scope_id"] is not None]
    assert [each["element"] for each in elements] == [0, 1, 2]


def test_what_is_waited_for_is_named(api: ApiClient) -> None:
    execution_id = start(api, "counted", parameters={"order": "A1"})
    api.house.run()
    (wait,) = see(api, execution_id)["waiting_for"]
    assert wait == {
        "step": "w",
        "step_id": step_id(api, execution_id, "w"),
        "kind": "message",
        "name": "paid",
        "key": "A1",
        "until": None,
        "interrupt_id": None,
    }
    asked = start(api, "asked")
    (question,) = see(api, asked)["waiting_for"]
    assert api.get(f"/interrupts/{question['interrupt_id']}").json()["execution_id"] == asked


def test_the_output_is_what_the_definition_says_or_what_the_last_step_returned(
    api: ApiClient, bench: ScriptedActions
) -> None:
    bench.answers["c"] = lambda _: Done(output={"sum": 3})
    line, counted = start(api, "line"), start(api, "counted", parameters={"order": "A1"})
    assert see(api, line)["output"] is None
    api.house.run()
    done(api, counted, "set", variables={"total": 42})
    done(api, counted, "signal", kind="message", name="paid", key="A1")
    api.house.run()
    assert see(api, line)["output"] == {"sum": 3}
    assert see(api, counted)["output"] == 42


def test_the_log_tells_the_life_of_an_execution_in_its_order_page_by_page(api: ApiClient) -> None:
    execution_id = start(api, "counted", parameters={"order": "A1"})
    api.house.run()
    done(api, execution_id, "set", variables={"total": 7}, reason="校正")
    done(api, execution_id, "signal", kind="message", name="paid", key="A1")
    api.house.run()
    entries: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = see(api, execution_id, "/log", limit=3, **({"cursor": cursor} if cursor else {}))
        entries += page["entries"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert entries == see(api, execution_id, "/log", limit=200)["entries"]
    assert len(entries) == see(api, execution_id)["log_entries"]
    assert sorted(e["timestamp"] for e in entries) == [e["timestamp"] for e in entries]
    told = [
        (e["event_type"], e["data"].get("task_id"), e["data"].get("new_state") or e["data"].get("verb"))
        for e in entries
    ]
    for event in [
        ("task_initialized", "a", None),
        ("state_transition", "a", "running"),
        ("state_transition", "a", "completed"),
        ("variable_set", None, None),
        ("intervention", None, "set"),
        ("signal", "w", None),
        ("state_transition", "b", "completed"),
    ]:
        assert told.count(event) == 1, event
    assert told[0] == ("task_initialized", "a", None)
    assert told[-1] == ("state_transition", None, "completed")
    (written,) = log_of(api, execution_id, "variable_set")
    assert written == {"name": "total", "value": 7, "task_id": None, "by": "operator"}
    assert log_of(api, execution_id, "intervention")[0]["reason"] == "校正"


def test_steps_and_variables_are_read_page_by_page(api: ApiClient) -> None:
    execution_id = start(api, "line")
    for total in range(3):
        done(api, execution_id, "set", variables={"total": total})
    api.house.run()
    for part, rows, name in (("/steps", "steps", "step"), ("/variables", "history", "value")):
        first = see(api, execution_id, part, limit=2)
        second = see(api, execution_id, part, limit=2, cursor=first["next_cursor"])
        assert second["next_cursor"] is None
        found = [each[name] for page in (first, second) for each in page[rows]]
        assert found == (["a", "b", "c"] if part == "/steps" else [0, 1, 2])
    log_cursor = see(api, execution_id, "/log", limit=1)["next_cursor"]
    assert api.get(f"/executions/{execution_id}/steps", params={"cursor": log_cursor}).status_code == 422


def test_executions_are_listed_by_status_and_workflow_the_newest_first(api: ApiClient) -> None:
    line, bell = start(api, "line"), start(api, "bell")
    api.house.run()

    def listed(**query: Any) -> list[str]:
        return [each["execution_id"] for each in see(api, "", **query)["executions"]]

    assert listed() == [bell, line]
    assert listed(status="completed") == [line]
    assert listed(workflow="bell") == [bell]
    first = see(api, "", limit=1)
    assert [e["execution_id"] for e in see(api, "", limit=1, cursor=first["next_cursor"])["executions"]] == [
        line
    ]


def test_the_run_of_an_order_is_an_execution_with_its_numbers_masked(api: ApiClient) -> None:
    body = payload(metadata={**payload()["metadata"], "phone": PHONE})
    assert api.post("/tasks", json=body).status_code == 200
    found = see(api, body["task_id"])
    assert found == see(api, found["execution_id"])
    assert (found["workflow_id"], found["task_id"]) == ("pending_task", body["task_id"])
    assert PHONE not in str(
        [found, *(see(api, body["task_id"], p) for p in ("/steps", "/variables", "/log"))]
    )


@pytest.mark.parametrize("part", ["", "/steps", "/variables", "/log"])
def test_an_execution_that_is_not_there_is_404(api: ApiClient, part: str) -> None:
    assert api.get(f"/executions/RUN404{part}").status_code == 404


def test_who_may_only_read_looks_and_changes_nothing(api: ApiClient) -> None:
    register_person(api.house, "lixia", Role.VIEWER)
    execution_id = start(api, "line")
    assert api.get(f"/executions/{execution_id}", "lixia").status_code == 200
    assert api.post(f"/executions/{execution_id}/terminate", "lixia").status_code == 403
    assert api.post("/workflows/line/start", "lixia", json={}).status_code == 403
    assert statuses(api, execution_id) == [("a", "pending")]


def test_a_sealed_text_is_shown_nowhere(api: ApiClient) -> None:
    schema = {"type": "object", "properties": {"word": {"type": "string", "writeOnly": True}}}
    activate(api, workflow("sealed", act("a"), parameters=schema))
    execution_id = start(api, "sealed", parameters={"word": "swordfish"})
    api.house.run()
    shown = [see(api, execution_id, part) for part in ("", "/steps", "/variables", "/log")]
    assert "swordfish" not in str(shown[0])
    assert shown[0]["parameters"] == {"word": "****"}
    assert "enc1." not in str(shown)
