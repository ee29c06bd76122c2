"""Callbacks of channels: verified, kept, applied once (SPEC.md §8)."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from storage.orders.contacts.contacts import Contacts
from tests.support.api.client import ApiClient, api_over, in_chunks, register_keys
from tests.support.api.silent_provider import silent_provider
from tests.support.factories import READY, payload
from tests.support.in_process_fleet import InProcessFleet
from tools.channels.signature import sign

SECRET = "a secret of the tests"
PATH = "/webhooks/contact/simulator"
START = "/agents/orchestrator/tasks/start"


@pytest.fixture
def api(database_url: str) -> Iterator[ApiClient]:
    """The API of a house whose contacts wait for callbacks."""
    with silent_provider() as address:
        house = InProcessFleet.build(database_url, channel="http", channel_url=address)
        register_keys(house)
        with api_over(house) as caller:
            yield caller
        house.close()


def contacted(api: ApiClient) -> str:
    """The key of a contact that was placed and waits for its result."""
    body = payload()
    api.post(START, json=body)
    api.house.run()
    with api.house.database.transaction() as work:
        (contact,) = Contacts(work).of_task(body["task_id"])
    return contact.key


def task_of(api: ApiClient, key: str) -> str:
    with api.house.database.transaction() as work:
        return Contacts(work).by_keys([key])[0].task_id


def callback_body(key: str, **changes: Any) -> dict[str, Any]:
    return {
        "event_id": f"evt-{key}",
        "key": key,
        "provider_id": "call-1",
        "channel": "phone",
        "result": "answered",
        "transcript": READY,
        "duration_seconds": 120,
        "recording_url": None,
        "occurred_at": "2026-03-13T21:05:00Z",
    } | changes


def headers(body: bytes, *, secret: str = SECRET, at: float | None = None) -> dict[str, str]:
    moment = int(time.time() if at is None else at)
    return {
        "Content-Type": "application/json",
        "X-Unpend-Timestamp": str(moment),
        "X-Unpend-Signature": sign(secret, moment, body),
    }


def send(api: ApiClient, body: bytes, path: str = PATH) -> httpx2.Response:
    return api.post(path, None, content=body, headers=headers(body))


def test_a_signed_report_is_applied_and_the_order_goes_on(api: ApiClient) -> None:
    key = contacted(api)
    answer = send(api, json.dumps(callback_body(key)).encode())
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "outcome": "applied"}
    api.house.run()
    assert api.house.order(task_of(api, key)).status == "closed"


def test_a_repeated_report_changes_nothing(api: ApiClient) -> None:
    body = json.dumps(callback_body(contacted(api))).encode()
    send(api, body)
    assert send(api, body).json()["outcome"] == "repeated"


def test_the_same_report_many_times_at_once_is_applied_once(api: ApiClient) -> None:
    body = json.dumps(callback_body(contacted(api))).encode()
    calls = [api.prepare("POST", PATH, None, content=body, headers=headers(body)) for _ in range(10)]
    outcomes = [answer.json()["outcome"] for answer in api.at_once(calls)]
    assert sorted(outcomes) == ["applied"] + ["repeated"] * 9


def test_a_report_of_a_contact_nobody_made_is_kept_and_answered(api: ApiClient) -> None:
    answer = send(api, json.dumps(callback_body("HT404.1.1")).encode())
    assert answer.json() == {"success": True, "outcome": "unknown_key"}


def test_a_status_shows_what_the_callback_reported(api: ApiClient) -> None:
    key = contacted(api)
    send(api, json.dumps(callback_body(key)).encode())
    found = api.get(f"/agents/orchestrator/tasks/{task_of(api, key)}/status").json()
    assert found["status"] == "responded"
    assert found["progress"]["last_contact_result"] == "responded"
    assert found["next_action"] == "triage_classify"


def unsigned(body: bytes) -> dict[str, str]:
    return {}


def wrongly_signed(body: bytes) -> dict[str, str]:
    return headers(body, secret="another secret")


def stale(body: bytes) -> dict[str, str]:
    return headers(body, at=time.time() - 3600)


def of_another_body(body: bytes) -> dict[str, str]:
    return headers(body + b" ")


@pytest.mark.parametrize("make", [unsigned, wrongly_signed, stale, of_another_body])
def test_what_is_not_signed_as_it_must_be_is_refused_alike(api: ApiClient, make: Any) -> None:
    body = json.dumps(callback_body(contacted(api))).encode()
    answer = api.post(PATH, None, content=body, headers=make(body))
    assert answer.status_code == 401
    error = answer.json()["error"]
    assert error["code"] == "UNAUTHORIZED"
    assert error["message"] == "the callback is not signed as it must be"
    assert error["details"] == {}


def test_a_refused_callback_leaves_nothing(api: ApiClient) -> None:
    key = contacted(api)
    body = json.dumps(callback_body(key)).encode()
    api.post(PATH, None, content=body, headers=wrongly_signed(body))
    assert send(api, body).json()["outcome"] == "applied"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"result": "vanished"}, "result"),
        ({"duration_seconds": -1}, "duration_seconds"),
        ({"occurred_at": "yesterday"}, "occurred_at"),
        ({"event_id": None}, "event_id"),
    ],
)
def test_a_report_with_a_wrong_field_is_told_which(
    api: ApiClient, change: dict[str, Any], field: str
) -> None:
    answer = send(api, json.dumps(callback_body("HT1.1.1", **change)).encode())
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["error"]["details"]["fields"]] == [field]


def test_a_body_that_is_no_json_is_told_so(api: ApiClient) -> None:
    answer = send(api, b"result=answered")
    assert answer.status_code == 422
    assert answer.json()["error"]["details"]["fields"][0]["field"] == "body"


def test_another_provider_is_not_found_whatever_its_signature(api: ApiClient) -> None:
    answer = send(api, json.dumps(callback_body("HT1.1.1")).encode(), "/webhooks/contact/somebody")
    assert answer.status_code == 404


def test_a_callback_over_its_limit_is_too_large_announced_or_not(api: ApiClient) -> None:
    body = json.dumps(callback_body("HT1.1.1", transcript="好" * 30_000)).encode()
    announced = send(api, body)
    chunked = api.post(PATH, None, content=in_chunks(body, 10_000), headers=headers(body))
    assert [announced.status_code, chunked.status_code] == [413, 413]
    assert chunked.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
