"""The world tells tasks what happened between their steps, typed and idempotent (SPEC.md §6)."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import httpx2
import pytest

from tests.factories import CANCEL, PARTS_MISSING, READY, answered, payload
from tests.house import House
from tests.integration.api.caller import Caller, calling, hand_out_keys
from tests.integration.engine.general import Bench, begin, definition, nodes_of, state_of
from tests.integration.orders.telling import Line, contacts

START = "/agents/orchestrator/tasks/start"
UNCLEAR = "先等等"
NUMBER = "13912345678"


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    """A house that knows a general workflow with a wait beside the order's."""
    bench = Bench()
    steps = [
        {"id": "first", "agent": "contact", "action": "check", "next": "pause"},
        {"id": "pause", "type": "wait", "seconds": 3600, "next": "enough"},
        {"id": "enough", "type": "gateway", "condition": "paid", "next": "last", "else": "end"},
        {"id": "last", "agent": "audit", "action": "check"},
    ]
    built = House.build(
        database_url, actions=bench.actions(), workflows=[definition("parallel_branches", steps=steps)]
    )
    yield built
    built.close()


def worked(api: Caller, *script: dict[str, object], **changes: Any) -> str:
    """An order that went as far as it goes by itself now."""
    body = payload(*script, **changes)
    assert api.post(START, json=body).status_code == 200
    api.house.run()
    task_id: str = body["task_id"]
    return task_id


def tell(api: Caller, task_id: str, kind: str, agent: str = "orchestrator", **body: Any) -> httpx2.Response:
    """Send a signal; `data` and whatever else is given are its body."""
    return api.post(f"/tasks/{task_id}/signals", agent, json={"type": kind, "data": {}, **body})


def conflict(answer: httpx2.Response) -> dict[str, Any]:
    """The error of an answer that is a conflict."""
    assert answer.status_code == 409, answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == "STATE_CONFLICT"
    return error


def test_a_signal_is_answered_with_what_it_did(api: Caller) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
    answer = tell(api, task_id, "part_arrived", signal_id="wms-1", data={"part": "压缩机"})
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
    api: Caller, kind: str, data: dict[str, Any], status: str
) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
    body = tell(api, task_id, kind, data=data).json()
    assert (body["outcome"], body["status"], body["type"]) == ("applied", status, kind)
    assert body["signal_id"].startswith("sig_")


def test_a_signal_that_changes_nothing_says_so(api: Caller) -> None:
    task_id = worked(api, answered(CANCEL))
    body = tell(api, task_id, "part_arrived").json()
    assert (body["outcome"], body["status"]) == ("noted", "classified")
    assert "nothing is changed" in body["effect"]


def test_the_time_of_a_call_is_the_customers_not_ours(api: Caller) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
    at = "2026-03-15T02:00:00+00:00"
    tell(api, task_id, "customer_called", at=at, data={"words": READY, "channel": "sms"})
    (call,) = contacts(api.house, task_id, "inbound")
    assert (call.contact_time.isoformat(), call.contact_method) == (at, "sms")


def test_a_call_is_not_dated_into_the_future(api: Caller) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
    tell(api, task_id, "customer_called", data={"words": READY, "at": "2199-01-01T00:00:00Z"})
    (call,) = contacts(api.house, task_id, "inbound")
    assert call.contact_time.year < 2199


def test_a_repeated_signal_is_answered_as_before(api: Caller) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
    body = {"signal_id": "crm-1", "at": "2026-03-15T10:00:00+08:00", "data": {"priority": 9}}
    first = tell(api, task_id, "priority_changed", **body).json()
    tell(api, task_id, "order_cancelled")
    again = tell(api, task_id, "priority_changed", **(body | {"at": "2026-03-15T02:00:00Z"}))
    assert again.status_code == 200
    assert again.json() == first | {"outcome": "repeated"}


def test_another_body_under_a_known_id_is_a_conflict(api: Caller) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
    tell(api, task_id, "priority_changed", signal_id="crm-1", data={"priority": 9})
    error = conflict(tell(api, task_id, "priority_changed", signal_id="crm-1", data={"priority": 8}))
    assert error["details"]["signal_id"] == "crm-1"
    assert api.house.order(task_id).priority == 9


def test_of_many_equal_signals_at_once_one_is_applied(api: Caller) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
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
    api: Caller, kind: str, data: dict[str, Any]
) -> None:
    task_id = worked(api, answered(READY))
    error = conflict(tell(api, task_id, kind, signal_id="late", data=data))
    assert error["details"] == {
        "signal_id": "late",
        "type": kind,
        "current_state": "closed",
        "requested_state": None,
        "allowed_transitions": [],
    }


def test_an_order_has_no_wait_that_a_caller_could_end(api: Caller) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
    error = conflict(tell(api, task_id, "continue", data={"step": "step9_followup"}))
    assert "no wait of this name" in error["message"]
    assert api.house.order(task_id).status == "waiting_followup"


def test_an_unknown_task_is_not_found(api: Caller) -> None:
    assert tell(api, "HT404", "part_arrived").status_code == 404


def test_it_takes_the_scope_of_tasks(api: Caller) -> None:
    task_id = worked(api)
    assert tell(api, task_id, "part_arrived", "contact_agent").status_code == 403
    assert tell(api, task_id, "part_arrived", "operator").status_code == 200


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
    api: Caller, body: dict[str, Any]
) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
    before = api.house.order(task_id)
    answer = api.post(f"/tasks/{task_id}/signals", json=body)
    assert answer.status_code == 422, answer.text
    assert NUMBER not in answer.text
    assert api.house.order(task_id) == before


def test_half_a_character_is_refused(api: Caller) -> None:
    task_id = worked(api, answered(PARTS_MISSING))
    content = b'{"type": "customer_called", "data": {"words": "\\ud800"}}'
    answer = api.post(
        f"/tasks/{task_id}/signals", content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422


def test_no_answer_holds_the_number(api: Caller) -> None:
    task_id = worked(api, metadata={"phone": None})
    data = {"phone": NUMBER}
    answers = [
        tell(api, task_id, "phone_changed", signal_id="crm-1", data=data),
        tell(api, task_id, "phone_changed", signal_id="crm-1", data=data),
        tell(api, task_id, "phone_changed", signal_id="crm-2", data=data),
        tell(api, task_id, "phone_changed", signal_id="crm-1", data={"phone": "not " + NUMBER}),
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 422]
    assert NUMBER not in "".join(answer.text for answer in answers)


def general_run(api: Caller) -> str:
    """A run without an order that has come to its wait."""
    (run_id,) = begin(api.house, "parallel_branches")
    api.house.run()
    assert nodes_of(api.house, run_id)["pause"] == ["scheduled"]
    return run_id


def test_a_wait_of_a_run_ends_when_it_is_told_to(api: Caller) -> None:
    run_id = general_run(api)
    data = {"step": "pause", "output": {"paid": True}}
    answer = tell(api, run_id, "continue", signal_id="payment-1", data=data)
    assert (answer.json()["outcome"], answer.json()["status"]) == ("applied", "running")
    api.house.run()
    assert nodes_of(api.house, run_id)["last"] == ["done"]
    assert state_of(api.house, run_id) == "completed"
    again = tell(api, run_id, "continue", signal_id="payment-1", data=data)
    assert again.json() == answer.json() | {"outcome": "repeated"}


def test_what_ends_the_last_wait_completes_the_run(api: Caller) -> None:
    run_id = general_run(api)
    assert tell(api, run_id, "continue", data={"step": "pause"}).json()["status"] == "completed"
    assert "last" not in nodes_of(api.house, run_id)


@pytest.mark.parametrize("step", ["first", "last", "nowhere"])
def test_what_does_not_wait_cannot_be_continued(api: Caller, step: str) -> None:
    run_id = general_run(api)
    error = conflict(tell(api, run_id, "continue", data={"step": step}))
    assert error["details"]["current_state"] == "running"
    assert nodes_of(api.house, run_id)["pause"] == ["scheduled"]


def test_a_wait_that_is_over_cannot_be_continued(api: Caller) -> None:
    run_id = general_run(api)
    tell(api, run_id, "continue", data={"step": "pause"})
    assert conflict(tell(api, run_id, "continue", data={"step": "pause"}))["details"]["current_state"]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("part_arrived", {}),
        ("phone_changed", {"phone": NUMBER}),
        ("priority_changed", {"priority": 9}),
        ("order_cancelled", {}),
        ("customer_called", {"words": READY}),
    ],
)
def test_a_run_without_an_order_is_told_nothing_of_orders(
    api: Caller, kind: str, data: dict[str, Any]
) -> None:
    run_id = general_run(api)
    assert "is for orders" in conflict(tell(api, run_id, kind, data=data))["message"]


def test_a_call_that_comes_while_the_customer_is_being_called_is_kept_and_asked_for_again(
    database_url: str,
) -> None:
    line = Line()
    house = House.build(database_url, gateway=line)
    hand_out_keys(house)
    with calling(house) as api:
        body = payload()
        task_id = body["task_id"]
        api.post(START, json=body)
        line.free.clear()
        worker = Thread(target=house.run)
        worker.start()
        assert line.placing.wait(30)
        call = {"signal_id": "hotline-1", "data": {"words": READY}}
        refused = tell(api, task_id, "customer_called", **call)
        line.free.set()
        worker.join(30)
        error = conflict(refused)
        assert int(refused.headers["Retry-After"]) > 0
        assert "kept" in error["message"]
        assert error["details"]["signal_id"] == "hotline-1"
        assert len(contacts(house, task_id, "inbound")) == 1
        assert tell(api, task_id, "customer_called", **call).json()["outcome"] == "applied"
        house.run()
        assert house.order(task_id).finish_reason == "visit_arranged"
        assert len(line.keys) == len(contacts(house, task_id, "inbound")) == 1
    house.close()


def test_a_call_that_comes_just_before_the_call_is_placed_waits_for_it(database_url: str) -> None:
    line = Line()
    house = House.build(database_url, gateway=line)
    hand_out_keys(house)
    with calling(house) as api:
        body = payload()
        api.post(START, json=body)
        line.free.clear()
        worker = Thread(target=house.run)
        worker.start()
        assert line.placing.wait(30)
        answers: list[httpx2.Response] = []
        words = {"words": READY}
        sender = Thread(
            target=lambda: answers.append(tell(api, body["task_id"], "customer_called", data=words))
        )
        sender.start()
        line.free.set()
        sender.join(30)
        worker.join(30)
        assert answers[0].json()["outcome"] == "applied"
        assert len(line.keys) == 1
    house.close()
