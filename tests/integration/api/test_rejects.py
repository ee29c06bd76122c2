"""Refused input over the API: seen without numbers, corrected, sent in again, dismissed (SPEC.md §5)."""

import json
from typing import Any

import pytest

from storage.access.keys import Keys, NewKey
from storage.access.system_audit import SystemAudit
from storage.people.rejects import NewReject, Rejects
from tests.support.api.client import ApiClient
from tests.support.factories import payload
from tests.support.probe import Probe

PHONE = "13800138000"
ROOM = "/intake/rejected"


def refused(api: ApiClient, **changes: Any) -> tuple[dict[str, Any], str]:
    """A valid order, and the id under which it was refused for its priority."""
    order = payload(metadata={"phone": PHONE}, **changes)
    reject = NewReject(
        source="queue",
        task_id=order["task_id"],
        payload=json.dumps(order | {"priority": 11}, ensure_ascii=False),
        problems=[{"field": "priority", "message": "input should be less than or equal to 10"}],
    )
    with api.house.database.transaction() as work:
        Rejects(work).keep([reject])
        return order, Rejects(work).recent(1)[0].reject_id


def test_what_was_refused_is_listed_without_what_came(api: ApiClient) -> None:
    order, reject_id = refused(api)
    (found,) = api.get(ROOM).json()["rejects"]
    assert found["reject_id"] == reject_id
    assert (found["source"], found["state"], found["task_id"]) == ("queue", "open", order["task_id"])
    assert found["problems"][0]["field"] == "priority"
    assert "payload" not in found


def test_one_is_shown_with_what_came_and_no_number(api: ApiClient) -> None:
    order, reject_id = refused(api)
    answer = api.get(f"{ROOM}/{reject_id}")
    assert json.loads(answer.json()["payload"])["metadata"]["phone"] == "138****8000"
    assert json.loads(answer.json()["payload"])["order_id"] == order["order_id"]
    assert PHONE not in answer.text


def test_how_upstream_named_things_shows_no_number_either(api: ApiClient) -> None:
    reject = NewReject(
        source="http", task_id=PHONE, payload="{}", problems=[{"field": PHONE, "message": "is not a field"}]
    )
    with api.house.database.transaction() as work:
        Rejects(work).keep([reject])
    assert PHONE not in api.get(ROOM).text


def test_of_a_name_of_any_length_the_beginning_is_shown(api: ApiClient) -> None:
    _, reject_id = refused(api, **{"://:" * 50_000: 1, "x" * 195 + "13800138000": 2})
    shown = json.loads(api.get(f"/intake/rejected/{reject_id}").json()["payload"])
    assert max(map(len, shown)) == 200
    assert "x" * 195 + "138**" in shown


def test_the_list_is_read_page_by_page(api: ApiClient) -> None:
    ids = [refused(api)[1] for _ in range(3)]
    first = api.get(ROOM, params={"limit": 2}).json()
    second = api.get(ROOM, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [r["reject_id"] for r in first["rejects"] + second["rejects"]] == ids[::-1]
    assert second["next_cursor"] is None


def test_the_list_is_chosen_by_state_and_door(api: ApiClient) -> None:
    _, reject_id = refused(api)
    api.post(f"{ROOM}/{reject_id}/dismiss", json={"reason": "上游已重新发送"})
    sizes = {
        tuple(wanted.values()): len(api.get(ROOM, params=wanted).json()["rejects"])
        for wanted in (
            {"state": "open"},
            {"state": "dismissed"},
            {"state": "all"},
            {"state": "all", "source": "queue"},
            {"state": "all", "source": "stream"},
        )
    }
    assert list(sizes.values()) == [0, 1, 1, 1, 0]


def test_a_correction_makes_the_order_with_the_number_that_came(api: ApiClient) -> None:
    order, reject_id = refused(api)
    order["metadata"]["phone"] = "138****8000"
    body = {"payload": order, "by": "王芳"}
    answer = api.post(f"{ROOM}/{reject_id}/replay", json=body, headers={"X-Request-ID": "req-correction"})
    assert answer.status_code == 200
    assert (answer.json()["task_id"], answer.json()["outcome"]) == (order["task_id"], "accepted")
    assert (answer.json()["reject"]["state"], answer.json()["reject"]["handled_by"]) == ("replayed", "admin")
    assert str(api.house.order(order["task_id"]).phone).endswith(PHONE)
    assert Probe(api.house.database).value("SELECT request_id FROM runs") == "req-correction"


def test_a_correction_that_is_still_wrong_names_the_fields(api: ApiClient) -> None:
    order, reject_id = refused(api)
    answer = api.post(f"{ROOM}/{reject_id}/replay", json={"payload": order | {"order_type": "?", PHONE: 1}})
    assert answer.status_code == 422
    fields = {fault["field"] for fault in answer.json()["error"]["details"]["fields"]}
    assert fields == {"payload.order_type", "payload.138****8000"}
    assert api.get(f"{ROOM}/{reject_id}").json()["state"] == "open"


def test_as_it_came_is_still_wrong(api: ApiClient) -> None:
    _, reject_id = refused(api)
    answer = api.post(f"{ROOM}/{reject_id}/replay", json={})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "payload.priority"


def test_an_order_that_has_another_open_task_is_a_conflict_and_stays_open(api: ApiClient) -> None:
    other = payload()
    api.post("/agents/orchestrator/tasks/start", json=other)
    order, reject_id = refused(api, order_id=other["order_id"])
    answer = api.post(f"{ROOM}/{reject_id}/replay", json={"payload": order})
    assert answer.status_code == 409
    assert other["task_id"] in answer.json()["error"]["message"]
    assert answer.json()["error"]["details"]["reject_state"] == "open"


def test_what_was_dealt_with_is_a_conflict(api: ApiClient) -> None:
    order, reject_id = refused(api)
    api.post(f"{ROOM}/{reject_id}/replay", json={"payload": order})
    for verb, body in (("replay", {}), ("dismiss", {"reason": "x"})):
        answer = api.post(f"{ROOM}/{reject_id}/{verb}", json=body)
        assert answer.status_code == 409
        assert answer.json()["error"]["details"]["replayed_as"] == order["task_id"]


@pytest.mark.parametrize(
    "body",
    [
        {"payload": {"task_id": "a\x00b"}},
        {"payload": {"task_id": 2**70, "order_id": None}},
        {"payload": {"metadata": {"phone": 2**70, "x": "\ud800"}}},
        {"payload": {"last_contact_time": "0001-01-01T00:00:00Z"}},
        {"payload": {"metadata": json.loads("[" * 300 + "]" * 300)}},
        {"payload": []},
        {"payload": {}, "by": ""},
        {"who": "me"},
    ],
)
def test_a_body_of_any_kind_is_answered_and_changes_nothing(api: ApiClient, body: dict[str, Any]) -> None:
    _, reject_id = refused(api)
    content = json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    answer = api.post(f"{ROOM}/{reject_id}/replay", content=content, headers=headers)
    assert answer.status_code == 422
    assert api.get(f"{ROOM}/{reject_id}").json()["state"] == "open"


@pytest.mark.parametrize("metadata", [{"x": 2**70}, {"x": json.loads("[" * 300 + "]" * 300)}])
def test_metadata_that_cannot_be_stored_is_refused_by_name(api: ApiClient, metadata: dict[str, Any]) -> None:
    order, reject_id = refused(api)
    answer = api.post(f"{ROOM}/{reject_id}/replay", json={"payload": order | {"metadata": metadata}})
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "payload.metadata"


def test_an_unknown_one_is_not_found(api: ApiClient) -> None:
    assert api.get(f"{ROOM}/REJ404").status_code == 404
    assert api.post(f"{ROOM}/REJ404/replay", json={}).status_code == 404
    assert api.post(f"{ROOM}/REJ404/dismiss", json={"reason": "x"}).status_code == 404


def test_it_is_for_administrators(api: ApiClient) -> None:
    assert api.get(ROOM, "operator").status_code == 403


@pytest.mark.parametrize(("verb", "body"), [("replay", {}), ("dismiss", {"reason": "重复"})])
def test_whose_key_it_was_is_on_record_whoever_they_say_they_are(
    api: ApiClient, verb: str, body: dict[str, Any]
) -> None:
    order, reject_id = refused(api)
    given = {"payload": order} if verb == "replay" else {}
    answer = api.post(f"{ROOM}/{reject_id}/{verb}", json={**body, **given, "by": "董事长"})
    reject = answer.json()["reject"]
    assert reject["handled_by"] == "admin"
    with api.house.database.transaction() as work:
        entry = SystemAudit(work).recent(limit=1)[0]
    assert (entry.actor, entry.label) == ("admin", "董事长")


def test_a_conflict_that_is_sent_again_and_again_is_listed_once(api: ApiClient) -> None:
    order = payload()
    for priority in (5, 9, 9, 9):
        api.post("/agents/orchestrator/tasks/start", json=order | {"priority": priority})
    (found,) = api.get(ROOM).json()["rejects"]
    assert (found["task_id"], found["order_id"], found["times"]) == (order["task_id"], order["order_id"], 3)
    (alert,) = api.get("/alerts", params={"alert_type": "intake_rejected"}).json()["alerts"]
    assert alert["metadata"] == {"count": 1, "source": "http"}


def test_an_order_of_a_key_for_manual_orders_goes_in_as_one(api: ApiClient) -> None:
    with api.house.database.transaction() as work:
        new = NewKey(agent_id="upstream", scopes=["tasks"], default_mode="manual")
        Keys(work).create("by-hand", new, actor="tester")
    headers = {"Authorization": "Bearer by-hand"}
    first, second = payload(order_id="SO-1"), payload(order_id="SO-1")
    for order in (first, second):
        api.post("/agents/orchestrator/tasks/start", None, json=order, headers=headers)
    api.post(f"/tasks/{first['task_id']}/cancel", json={"reason": "重复"})
    (found,) = api.get(ROOM).json()["rejects"]
    assert api.post(f"{ROOM}/{found['reject_id']}/replay", json={}).status_code == 200
    assert api.house.order(second["task_id"]).mode == "manual"
    assert api.get(f"/tasks/{second['task_id']}").json()["created_by"] == "upstream"
