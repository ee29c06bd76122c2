"""The world tells tasks what happened between their steps, typed and idempotent (SPEC.md §6)."""

from threading import Thread
from typing import Any

import httpx2
import pytest

from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.signals import NUMBER, START, conflict, order_run_over_api, send_signal
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, payload
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import HeldChannel, contacts


def test_a_signal_is_answered_with_what_it_did(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    answer = send_signal(api, task_id, "part_arrived", signal_id="wms-1", data={"part": "压缩机"})
    assert answer.status_code == 200
    body = answer.json()
    effect = body.pop("effect")
    assert body == {
        "success": True,
        "signal_id": "wms-1",
        "task_id": task_id,
        "type": "part_arrived",
        "outcome": "applied",
        "status": "waiting_followup",
    }
    assert effect.startswith("the customer is contacted at ")


@pytest.mark.parametrize(
    ("kind", "data", "status"),
    [
        ("phone_changed", {"phone": NUMBER}, "waiting_followup"),
        ("priority_changed", {"priority": 9}, "waiting_followup"),
        ("order_cancelled", {"reason": "用户在App取消"}, "closed"),
        ("customer_called", {"words": READY, "at": "2026-03-15T10:00:00+08:00"}, "responded"),
    ],
)
def test_every_signal_is_taken_from_upstream(
    api: ApiClient, kind: str, data: dict[str, Any], status: str
) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    body = send_signal(api, task_id, kind, data=data).json()
    assert (body["outcome"], body["status"], body["type"]) == ("applied", status, kind)
    assert body["signal_id"].startswith("sig_")


def test_a_signal_that_changes_nothing_says_so(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(CANCEL))
    body = send_signal(api, task_id, "part_arrived").json()
    assert (body["outcome"], body["status"]) == ("noted", "classified")
    assert "nothing is changed" in body["effect"]


def test_the_time_of_a_call_is_the_customers_not_ours(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    at = "2026-03-15T02:00:00+00:00"
    send_signal(api, task_id, "customer_called", at=at, data={"words": READY, "channel": "sms"})
    (call,) = contacts(api.house, task_id, "inbound")
    assert (call.contact_time.isoformat(), call.contact_method) == (at, "sms")


def test_a_call_is_not_dated_into_the_future(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    send_signal(api, task_id, "customer_called", data={"words": READY, "at": "2199-01-01T00:00:00Z"})
    (call,) = contacts(api.house, task_id, "inbound")
    assert call.contact_time.year < 2199


def test_a_repeated_signal_is_answered_as_before(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    body: dict[str, Any] = {"signal_id": "crm-1", "at": "2026-03-15T10:00:00+08:00", "data": {"priority": 9}}
    first = send_signal(api, task_id, "priority_changed", **body).json()
    send_signal(api, task_id, "order_cancelled")
    again = send_signal(api, task_id, "priority_changed", **(body | {"at": "2026-03-15T02:00:00Z"}))
    assert again.status_code == 200
    assert again.json() == first | {"outcome": "repeated"}


def test_a_signal_may_be_named_by_its_idempotency_key(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    path, headers = f"/tasks/{task_id}/signals", {"Idempotency-Key": "8e03978e"}
    body = {"type": "priority_changed", "data": {"priority": 9}}
    first, again = (api.post(path, json=body, headers=headers).json() for _ in range(2))
    assert (first["outcome"], again) == ("applied", first | {"outcome": "repeated"})
    of_another = api.post(path, "operator", json=body, headers=headers).json()
    assert of_another["outcome"] == "noted"
    other = {"type": "priority_changed", "data": {"priority": 8}}
    conflict(api.post(path, json=other, headers=headers))


def test_another_body_under_a_known_id_is_a_conflict(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    send_signal(api, task_id, "priority_changed", signal_id="crm-1", data={"priority": 9})
    error = conflict(send_signal(api, task_id, "priority_changed", signal_id="crm-1", data={"priority": 8}))
    assert error["details"]["signal_id"] == "crm-1"
    assert api.house.order(task_id).priority == 9


def test_of_many_equal_signals_at_once_one_is_applied(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    body = {"signal_id": "one", "type": "customer_called", "data": {"words": READY}}
    calls = [api.prepare("POST", f"/tasks/{task_id}/signals", json=body) for _ in range(6)]
    outcomes = sorted(answer.json()["outcome"] for answer in api.at_once(calls))
    assert outcomes == ["applied", *["repeated"] * 5]
    assert len(contacts(api.house, task_id, "inbound")) == 1
    assert api.house.events(task_id)[-1] == "user.responded"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("phone_changed", {"phone": NUMBER}),
        ("priority_changed", {"priority": 9}),
        ("order_cancelled", {}),
        ("customer_called", {"words": READY}),
        ("continue", {"step": "step3_contact"}),
    ],
)
def test_a_closed_order_takes_no_signal_that_would_change_it(
    api: ApiClient, kind: str, data: dict[str, Any]
) -> None:
    task_id = order_run_over_api(api, answered(READY))
    error = conflict(send_signal(api, task_id, kind, signal_id="late", data=data))
    assert error["details"] == {
        "signal_id": "late",
        "type": kind,
        "current_state": "closed",
        "requested_state": None,
        "allowed_transitions": [],
    }


def test_an_order_has_no_wait_that_a_caller_could_end(api: ApiClient) -> None:
    task_id = order_run_over_api(api, answered(PARTS_MISSING))
    error = conflict(send_signal(api, task_id, "continue", data={"step": "step9_followup"}))
    assert "no wait of this name" in error["message"]
    assert api.house.order(task_id).status == "waiting_followup"


def test_an_unknown_task_is_not_found(api: ApiClient) -> None:
    assert send_signal(api, "HT404", "part_arrived").status_code == 404


def test_it_takes_the_scope_of_tasks(api: ApiClient) -> None:
    task_id = order_run_over_api(api)
    assert send_signal(api, task_id, "part_arrived", "contact_agent").status_code == 403
    assert send_signal(api, task_id, "part_arrived", "operator").status_code == 200


def test_no_answer_holds_the_number(api: ApiClient) -> None:
    task_id = order_run_over_api(api, metadata={"phone": None})
    data = {"phone": NUMBER}
    answers = [
        send_signal(api, task_id, "phone_changed", signal_id="crm-1", data=data),
        send_signal(api, task_id, "phone_changed", signal_id="crm-1", data=data),
        send_signal(api, task_id, "phone_changed", signal_id="crm-2", data=data),
        send_signal(api, task_id, "phone_changed", signal_id="crm-1", data={"phone": "not " + NUMBER}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422]
    assert NUMBER not in "".join(answer.text for answer in answers)


def test_a_call_that_comes_while_the_customer_is_being_called_is_kept_and_asked_for_again(
    database_url: str,
) -> None:
    line = HeldChannel()
    house = InProcessFleet.build(database_url, gateway=line)
    register_keys(house)
    with api_over(house) as api:
        body = payload()
        task_id = body["task_id"]
        api.post(START, json=body)
        line.free.clear()
        worker = Thread(target=house.run)
        worker.start()
        assert line.placing.wait(180)
        call: dict[str, Any] = {"signal_id": "hotline-1", "data": {"words": READY}}
        refused = send_signal(api, task_id, "customer_called", **call)
        line.free.set()
        worker.join(180)
        error = conflict(refused)
        assert int(refused.headers["Retry-After"]) > 0
        assert "kept" in error["message"]
        assert error["details"]["signal_id"] == "hotline-1"
        assert len(contacts(house, task_id, "inbound")) == 1
        assert send_signal(api, task_id, "customer_called", **call).json()["outcome"] == "applied"
        house.run()
        assert house.order(task_id).finish_reason == "visit_arranged"
        assert len(line.keys) == len(contacts(house, task_id, "inbound")) == 1
    house.close()


def test_a_call_that_comes_just_before_the_call_is_placed_waits_for_it(database_url: str) -> None:
    line = HeldChannel()
    house = InProcessFleet.build(database_url, gateway=line)
    register_keys(house)
    with api_over(house) as api:
        body = payload()
        api.post(START, json=body)
        line.free.clear()
        worker = Thread(target=house.run)
        worker.start()
        assert line.placing.wait(180)
        answers: list[httpx2.Response] = []
        words = {"words": READY}
        sender = Thread(
            target=lambda: answers.append(send_signal(api, body["task_id"], "customer_called", data=words))
        )
        sender.start()
        line.free.set()
        sender.join(180)
        worker.join(180)
        assert answers[0].json()["outcome"] == "applied"
        assert len(line.keys) == 1
    house.close()
