"""Orders and general work in one list: filters, and pages that together are the list."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.flows.task_list import TaskFilter, TaskList
from tests.support.api.client import ApiClient
from tests.support.api.general_work import ask, look
from tests.support.factories import PARTS_MISSING, READY, answered, payload

_ALL = TaskFilter()


def order(api: ApiClient, *words: str, **changes: Any) -> str:
    """An order that was taken in."""
    body = payload(*(answered(each) for each in words), **changes)
    assert api.post("/tasks", json=body).status_code == 200
    task_id: str = body["task_id"]
    return task_id


def listed(api: ApiClient, **wanted: Any) -> list[str]:
    """The ids on the first page."""
    answer = api.get("/tasks", params=wanted)
    assert answer.status_code == 200, answer.text
    return [task["task_id"] for task in answer.json()["tasks"]]


def test_the_newest_comes_first_orders_and_work_alike(works: ApiClient) -> None:
    ids = [order(works), ask(works)["task_id"], order(works), ask(works)["task_id"]]
    assert listed(works) == list(reversed(ids))


def test_a_task_is_listed_as_it_is_shown_alone(works: ApiClient) -> None:
    for task_id in (order(works, READY), ask(works)["task_id"]):
        works.house.run()
        (task,) = [each for each in works.get("/tasks").json()["tasks"] if each["task_id"] == task_id]
        alone = look(works, task_id)
        del task["live"]
        assert task == {name: alone[name] for name in task}


def test_a_list_is_filtered_by_what_is_asked(works: ApiClient) -> None:
    waiting, closed = order(works, PARTS_MISSING, order_id="SO-77"), order(works, READY, priority=9)
    done = ask(works, priority=10)["task_id"]
    works.house.run()
    fresh, cancelled = ask(works)["task_id"], ask(works, task_type="strict_work")["task_id"]
    works.post(f"/tasks/{cancelled}/cancel")
    everything = [cancelled, fresh, done, closed, waiting]
    asked = {
        "status=created": [fresh],
        "status=running": [waiting],
        "status=completed": [done, closed],
        "status=cancelled": [cancelled],
        "status=failed": [],
        "status=paused": [],
        "state=waiting_followup": [waiting],
        "state=closed": [closed],
        "task_type=pending_task": [closed, waiting],
        "task_type=two_steps": [fresh, done],
        "task_type=triage.classify_text": [],
        "priority_min=9": [done, closed],
        "order_id=SO-77": [waiting],
        "status=completed&priority_min=10": [done],
    }
    found = {query: listed(works, **dict(pair.split("=") for pair in query.split("&"))) for query in asked}
    assert listed(works) == everything
    assert found == asked


def test_work_that_is_one_action_is_listed_by_the_actions_name(works: ApiClient) -> None:
    task_id = ask(works, task_type="triage.classify_text", parameters={"text": READY})["task_id"]
    assert listed(works, task_type="triage.classify_text") == [task_id]


def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(works: ApiClient) -> None:
    first, second = ask(works)["task_id"], ask(works)["task_id"]
    with works.house.database.transaction() as unit:
        rows = TaskList(unit, works.house.forms.subjects).page(_ALL, after=None, limit=9)
        moments = {row.task_id: row.created_at.isoformat() for row in rows}
    assert listed(works, created_from=moments[second]) == [second]
    assert listed(works, created_to=moments[second]) == [first]


def test_pages_are_bounded_and_the_last_one_leads_no_further(works: ApiClient) -> None:
    ids = [ask(works)["task_id"] for _ in range(3)]
    first = works.get("/tasks", params={"limit": 2}).json()
    last = works.get("/tasks", params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [each["task_id"] for each in first["tasks"] + last["tasks"]] == list(reversed(ids))
    assert last["next_cursor"] is None
    assert {works.get("/tasks", params={"limit": limit}).status_code for limit in (0, 201, 10**30)} == {422}


@pytest.mark.parametrize("cursor", ["", "x", "!!!", "MjAyNg", "AAAA", "x" * 300, "é"])
def test_a_broken_cursor_is_refused_by_name(works: ApiClient, cursor: str) -> None:
    answer = works.get("/tasks", params={"cursor": cursor})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "cursor"


@pytest.mark.parametrize(
    "query",
    [
        {"status": "sleeping"},
        {"state": "sleeping"},
        {"priority_min": 11},
        {"created_from": "0001-01-01T00:00:00Z"},
        {"created_to": "2026-03-13T21:00:00"},
        {"order_id": "a b"},
        {"task_type": "a\x00b"},
    ],
)
def test_a_filter_that_means_nothing_is_refused(works: ApiClient, query: dict[str, Any]) -> None:
    answer = works.get("/tasks", params=query)
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] in query


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.integers(min_value=0, max_value=9),
    limit=st.integers(min_value=1, max_value=4),
    meanwhile=st.lists(st.integers(min_value=0, max_value=2), max_size=6),
)
def test_pages_together_are_the_whole_list_once_whatever_comes_in_between(
    works: ApiClient, before: int, limit: int, meanwhile: list[int]
) -> None:
    body = {"tasks": [{"task_type": "two_steps", "description": "一"} for _ in range(before)]}
    if before:
        works.post("/tasks/batch", json=body)
    expected, seen, cursor = whole_list(works), [], None
    arrivals = iter(meanwhile)
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = works.get("/tasks", params=query).json()
        seen += [task["task_id"] for task in page["tasks"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        for _ in range(next(arrivals, 0)):
            ask(works)
    assert seen == expected


def whole_list(api: ApiClient) -> list[str]:
    """Every task there is, the newest first, in one go."""
    with api.house.database.transaction() as unit:
        rows = TaskList(unit, api.house.forms.subjects).page(_ALL, after=None, limit=10_000)
        return [row.task_id for row in rows]
