"""A signal whose body cannot be understood is refused, never a fault of ours (SPEC.md §6)."""

from typing import Any

import pytest

from tests.support.api.client import ApiClient
from tests.support.api.signals import NUMBER, order_run_over_api
from tests.support.factories import PARTS_MISSING, answered


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"type": None},
        {"type": "rain", "data": {}},
        {"type": ["part_arrived"], "data": {}},
        {"type": "part_arrived", "data": None},
        {"type": "part_arrived", "data": {"part": "x" * 65}},
        {"type": "part_arrived", "data": {"note": "a\x00b"}},
        {"type": "part_arrived", "data": {"phone": NUMBER}},
        {"type": "part_arrived", "data": {}, "signal_id": ""},
        {"type": "part_arrived", "data": {}, "signal_id": "a b"},
        {"type": "part_arrived", "data": {}, "signal_id": "a" * 65},
        {"type": "part_arrived", "data": {}, "at": "0001-01-01T00:00:00Z"},
        {"type": "part_arrived", "data": {}, "at": "2026-03-15T10:00:00"},
        {"type": "phone_changed", "data": {}},
        {"type": "phone_changed", "data": {"phone": "no number"}},
        {"type": "phone_changed", "data": {"phone": "1" * 33}},
        {"type": "phone_changed", "data": {"phone": 10**30}},
        {"type": "priority_changed", "data": {"priority": 0}},
        {"type": "priority_changed", "data": {"priority": 11}},
        {"type": "priority_changed", "data": {"priority": 2**63}},
        {"type": "priority_changed", "data": {"priority": 1.5}},
        {"type": "order_cancelled", "data": {"reason": "x" * 501}},
        {"type": "customer_called", "data": {}},
        {"type": "customer_called", "data": {"words": "  \n"}},
        {"type": "customer_called", "data": {"words": "字" * 2001}},
        {"type": "customer_called", "data": {"words": "好", "channel": "fax"}},
        {"type": "customer_called", "data": {"words": "好", "at": "9999-12-31T23:59:59-12:00"}},
        {"type": "continue", "data": {"step": "a\x00"}},
        {"type": "continue", "data": {"step": "a", "output": {"x": "\x00"}}},
        {"type": "continue", "data": {"step": "a", "output": {"x": "y" * 20_000}}},
        {"type": "continue", "data": {"step": "a", "output": [1]}},
    ],
)
def test_a_signal_that_cannot_be_understood_is_refused_and_changes_nothing(
    api: ApiClient, body: dict[str, Any]
) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    before = api.house.order(task_id)
    answer = api.post(f"/tasks/{task_id}/signals", json=body)
    assert answer.status_code == 422, answer.text
    assert NUMBER not in answer.text
    assert api.house.order(task_id) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "priority_changed", "data": {"priority": 0}}, "data.priority"),
        ({"type": "part_arrived", "data": {"part": 1}}, "data.part"),
        ({"type": "phone_changed"}, "data"),
        ({"type": "customer_called", "data": {"words": "好", "channel": "fax"}}, "data.channel"),
        ({"type": "continue", "data": {"step": "a"}, "more": 1}, "more"),
        ({"type": "rain", "data": {}}, "body"),
        ({"data": {}}, "body"),
    ],
)
def test_what_is_wrong_with_a_signal_is_named_as_it_was_sent(
    api: ApiClient, body: dict[str, Any], field: str
) -> None:
    answer = api.post("/tasks/HT1/signals", json=body)
    assert [fault["field"] for fault in answer.json()["error"]["details"]["fields"]] == [field]


def test_half_a_character_is_refused(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    content = b'{"type": "customer_called", "data": {"words": "\\ud800"}}'
    answer = api.post(
        f"/tasks/{task_id}/signals", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
