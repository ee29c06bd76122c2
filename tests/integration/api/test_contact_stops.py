"""Operators stop contacting people, administrators allow it again (SPEC.md §8)."""

from typing import Any

import pytest

from tests.support.api.client import ApiClient
from tests.support.factories import payload

STOPS = "/contact/stops"


def stopped(api: ApiClient, **scope: object) -> dict[str, Any]:
    answer = api.post(STOPS, "operator", json={"reason": "线路故障", **scope})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_stop_holds_contacts_until_an_administrator_lifts_it(api: ApiClient) -> None:
    stop = stopped(api, by="王芳")["stop"]
    body = payload()
    api.post("/agents/orchestrator/tasks/start", json=body)
    api.house.run()
    assert api.house.order(body["task_id"]).status == "contacting"
    assert stop["lifted_at"] is None
    assert (stop["stopped_by"], stop["channel"], stop["region"]) == ("operator", None, None)
    lifted = api.post(f"{STOPS}/{stop['stop_id']}/lift", json={})
    assert lifted.json()["stop"]["lifted_by"] == "admin"
    assert api.get(STOPS).json() == {"stops": []}
    (kept,) = api.get(STOPS, params={"lifted": True}).json()["stops"]
    assert kept["stop_id"] == stop["stop_id"]


def test_the_same_stop_again_is_repeated_and_another_scope_is_not(api: ApiClient) -> None:
    assert stopped(api, channel="sms")["outcome"] == "applied"
    assert stopped(api, channel="sms")["outcome"] == "repeated"
    assert stopped(api, channel="sms", region="上海市")["outcome"] == "applied"
    assert len(api.get(STOPS, "operator").json()["stops"]) == 2


def test_a_stop_tells_how_many_open_orders_it_holds(api: ApiClient) -> None:
    for metadata in ({"region": "上海"}, {"region": "北京市"}, {"region": 7}, {}):
        api.post("/agents/orchestrator/tasks/start", json=payload(metadata=metadata))
    answer = stopped(api, region="上海市")
    assert (answer["orders_held"], answer["orders_without_region"]) == (1, 2)
    assert stopped(api, region="火星")["orders_held"] == 0
    assert stopped(api)["orders_held"] == 4


def test_lifting_twice_is_repeated_and_an_unknown_stop_is_not_found(api: ApiClient) -> None:
    path = f"{STOPS}/{stopped(api)['stop']['stop_id']}/lift"
    assert [api.post(path, json={}).json()["outcome"] for _ in range(2)] == ["applied", "repeated"]
    assert api.post(f"{STOPS}/stop_none/lift", json={}).status_code == 404


def test_an_operator_may_stop_and_not_lift_and_others_may_do_neither(api: ApiClient) -> None:
    stop = stopped(api)["stop"]
    assert api.post(f"{STOPS}/{stop['stop_id']}/lift", "operator", json={}).status_code == 403
    assert api.post(STOPS, "contact_agent", json={"reason": "x"}).status_code == 403
    assert api.get(STOPS, "contact_agent").status_code == 200
    assert api.get(STOPS, None).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": "  "},
        {"reason": "x", "channel": "fax"},
        {"reason": "x", "region": " "},
        {"reason": "a\x00b"},
        {"reason": "x" * 501},
        {"reason": "x", "until": "tomorrow"},
    ],
)
def test_what_says_too_little_is_refused_and_nothing_is_stopped(api: ApiClient, body: dict[str, Any]) -> None:
    assert api.post(STOPS, json=body).status_code == 422
    assert api.get(STOPS).json() == {"stops": []}
