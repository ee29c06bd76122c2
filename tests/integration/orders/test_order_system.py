"""Actions in another order system: asked once by key whatever fails, told to a person where it refuses."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import jsonschema
import pytest

from runtime.settings import PROJECT, Settings
from storage.people.reviews import Review, Reviews
from tasks.orders.people.deciding import Decision, decide
from tasks.orders.rules.order_system import open_order_system
from tests.support.factories import CANCEL, READY, answered
from tests.support.in_process_fleet import InProcessFleet, settings_for
from tests.support.orders.order_system import OrderSystemServer, Reply
from tests.support.orders.signals import order_run, taken_in
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from tools.order_system.contract import (
    ActionRefused,
    ActionUnclear,
    NotPerformed,
    Offered,
    OrderSystemRequest,
    Performed,
    Slot,
    SlotsUnknown,
)
from tools.order_system.webhook import WebhookOrderSystem
from tools.webhooks.signature import new_secret

REQUEST = OrderSystemRequest(
    key="HT1.1.cancel_order.abc",
    action_type="cancel_order",
    order_id="SO1",
    task_id="HT1",
    parameters={"reason": "不再需要", "at": datetime(2026, 3, 16, 1, tzinfo=UTC)},
    timeout_seconds=2.0,
)
SOON = Reply(status=429, performs=False)


@pytest.fixture
def desk() -> Iterator[OrderSystemServer]:
    with OrderSystemServer() as opened:
        yield opened


@pytest.fixture
def system(desk: OrderSystemServer) -> Iterator[WebhookOrderSystem]:
    opened = WebhookOrderSystem(desk.url, desk.secret)
    yield opened
    opened.close()


@pytest.fixture
def away(database_url: str, desk: OrderSystemServer) -> Iterator[InProcessFleet]:
    """A house whose orders live in another system."""
    house = InProcessFleet.build(database_url, order_system_url=desk.url, order_system_secret=desk.secret)
    yield house
    house.context.order_system.close()
    house.close()


def closes(house: InProcessFleet, task_id: str) -> None:
    """Run until the order is closed, however often a step is tried again."""

    def closed() -> bool:
        house.run()
        return house.order(task_id).status == "closed"

    wait_until(closed, seconds=180)


def asks(house: InProcessFleet, task_id: str) -> Review:
    """Run until a person is asked; the question."""

    def found() -> list[Review]:
        with house.database.transaction() as work:
            return Reviews(work).list(task_id=task_id)

    def asked() -> bool:
        house.run()
        return bool(found())

    wait_until(asked, seconds=180)
    return found()[0]


def rows(house: InProcessFleet, table: str, task_id: str) -> list[dict[str, Any]]:
    found = Probe(house.database).rows(f"SELECT * FROM {table} WHERE task_id = %s", task_id)
    return [dict(row._mapping) for row in found]


def test_a_request_is_signed_and_carries_its_key(desk: OrderSystemServer, system: WebhookOrderSystem) -> None:
    assert system.perform(REQUEST) == Performed()
    (asked,) = desk.asked
    assert asked.genuine
    assert asked.headers["idempotency-key"] == asked.headers["webhook-id"] == REQUEST.key
    assert asked.message == {
        "type": "order_action.requested",
        "data": {
            "key": REQUEST.key,
            "action_type": "cancel_order",
            "order_id": "SO1",
            "task_id": "HT1",
            "parameters": {"reason": "不再需要", "at": "2026-03-16T01:00:00Z"},
        },
    }


def test_what_is_sent_is_as_it_is_documented(away: InProcessFleet, desk: OrderSystemServer) -> None:
    page = (PROJECT / "docs" / "order_system.md").read_text(encoding="utf-8")
    schemas = [
        schema
        for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL)
        if "$schema" in (schema := json.loads(block))
    ]
    requests, answers = schemas
    ready, cancelled = order_run(away, answered(READY)), order_run(away, answered(CANCEL))
    away.context.order_system.slots("华东", date(2026, 3, 14), date(2026, 3, 20))
    away.leap()
    for task_id in (ready, cancelled):
        closes(away, task_id)
    kinds = {asked.action_type if "key" in asked.data else "slots" for asked in desk.asked}
    assert kinds == {"update_appointment", "notify_engineer", "cancel_order", "slots"}
    for asked in desk.asked:
        jsonschema.validate(asked.message, requests)
    jsonschema.validate({"slot": {"visit_at": "2026-03-20T02:00:00Z", "name": "周五上午"}}, answers)
    for wrong in ({"type": "order_action.requested", "data": {}}, {"slots": "none"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(wrong, requests if "type" in wrong else answers)


def test_a_repetition_is_the_same_message_to_the_byte(
    desk: OrderSystemServer, system: WebhookOrderSystem
) -> None:
    desk.lay_out("cancel_order", Reply(status=500))
    assert isinstance(system.perform(REQUEST), ActionUnclear)
    assert isinstance(system.perform(REQUEST), Performed)
    assert desk.asked[0].body == desk.asked[1].body
    assert desk.performed == [(REQUEST.key, "cancel_order")]


@pytest.mark.parametrize("status", [408, 425, 429, 503])
def test_what_is_put_off_was_not_performed(
    desk: OrderSystemServer, system: WebhookOrderSystem, status: int
) -> None:
    desk.lay_out("cancel_order", Reply(status=status, performs=False, headers={"Retry-After": "7"}))
    outcome = system.perform(REQUEST)
    assert outcome == NotPerformed(f"the order system answered {status}", 7.0)


@pytest.mark.parametrize("status", [300, 302, 400, 401, 404, 409, 410, 422])
def test_every_other_answer_is_a_refusal(
    desk: OrderSystemServer, system: WebhookOrderSystem, status: int
) -> None:
    error = {"code": "already_shipped", "message": "配件已发往 13800138000"}
    desk.lay_out("cancel_order", Reply(status=status, performs=False, body={"error": error}))
    outcome = system.perform(REQUEST)
    assert isinstance(outcome, ActionRefused)
    assert outcome.code == "already_shipped"
    assert "13800138000" not in outcome.reason
    assert str(status) in outcome.reason


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(status=502), Reply(drop=True)])
def test_a_failure_that_may_have_performed_is_unclear(
    desk: OrderSystemServer, system: WebhookOrderSystem, reply: Reply
) -> None:
    desk.lay_out("cancel_order", reply)
    assert isinstance(system.perform(REQUEST), ActionUnclear)


def test_a_slow_order_system_is_unclear_within_the_tools_time(
    desk: OrderSystemServer, system: WebhookOrderSystem
) -> None:
    never = threading.Event()
    desk.lay_out("cancel_order", Reply(after=never))
    request = OrderSystemRequest(
        key="k", action_type="cancel_order", order_id="SO1", task_id="HT1", parameters={}, timeout_seconds=0.3
    )
    assert isinstance(system.perform(request), ActionUnclear)
    never.set()


def test_nobody_at_home_has_performed_nothing() -> None:
    with OrderSystemServer() as desk:
        url = desk.url
    system = WebhookOrderSystem(url, new_secret())
    assert isinstance(system.perform(REQUEST), NotPerformed)
    system.close()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[" * 100_000,
        b'{"result": [1], "slot": "x"}',
        b'{"result": {"a": 1e999}, "slot": {"visit_at": "soon"}}',
        b'{"result": {"a": "\\u0000"}, "slot": {"day": 5}}',
        b'{"result": {"a": "\\ud800"}, "slot": {"name": "\\u0000"}}',
        b'{"slot": {"visit_at": "0001-01-01T00:00:00+14:00"}}',
    ],
)
def test_nonsense_beside_a_success_is_left_out(
    desk: OrderSystemServer, system: WebhookOrderSystem, body: bytes
) -> None:
    desk.lay_out("cancel_order", Reply(body=body))
    assert system.perform(REQUEST) == Performed()


def test_slots_are_asked_for_and_read(desk: OrderSystemServer, system: WebhookOrderSystem) -> None:
    desk.lay_out("slots", Reply(body={"slots": [{"day": "2026-03-16", "free": 2}]}))
    offered = system.slots("华东", date(2026, 3, 14), date(2026, 3, 20))
    assert offered == Offered(limited=True, slots=(Slot(day=date(2026, 3, 16), free=2),))
    assert desk.asked[0].message == {
        "type": "order_slots.requested",
        "data": {"region": "华东", "from": "2026-03-14", "to": "2026-03-20"},
    }


@pytest.mark.parametrize("reply", [Reply(status=500), Reply(body={"slots": "none"}), Reply(drop=True)])
def test_slots_that_are_not_told_are_unknown(
    desk: OrderSystemServer, system: WebhookOrderSystem, reply: Reply
) -> None:
    desk.lay_out("slots", reply)
    assert isinstance(system.slots("华东", date(2026, 3, 14), date(2026, 3, 20)), SlotsUnknown)


def test_an_order_is_carried_out_there_and_kept_here_as_evidence(
    away: InProcessFleet, desk: OrderSystemServer
) -> None:
    slot = {"visit_at": "2026-03-20T02:00:00Z", "name": "周五上午"}
    desk.lay_out("update_appointment", Reply(body={"result": {"booking": "B-7"}, "slot": slot}))
    task_id = order_run(away, answered(READY))
    closes(away, task_id)
    assert [kind for _, kind in desk.performed] == ["update_appointment", "notify_engineer"]
    assert all(asked.genuine for asked in desk.asked)
    (kept,) = rows(away, "appointments", task_id)
    assert (kept["visit_at"], kept["slot"]) == (datetime(2026, 3, 20, 2, tzinfo=UTC), "周五上午")
    result = {row["action_type"]: row["result"] for row in rows(away, "actions", task_id)}
    assert result["update_appointment"]["booking"] == "B-7"
    assert result["update_appointment"]["slot"]["name"] == "周五上午"
    assert {row["key"] for row in rows(away, "actions", task_id)} == {key for key, _ in desk.performed}


@pytest.mark.parametrize("reply", [SOON, Reply(status=500), Reply(drop=True)], ids=["429", "500", "dropped"])
def test_a_fault_that_passes_performs_it_once(
    away: InProcessFleet, desk: OrderSystemServer, reply: Reply
) -> None:
    desk.lay_out("notify_engineer", reply)
    task_id = order_run(away, answered(READY))
    closes(away, task_id)
    assert sorted(kind for _, kind in desk.performed) == ["notify_engineer", "update_appointment"]
    assert len({asked.data["key"] for asked in desk.of("notify_engineer")}) == 1
    assert len(desk.of("notify_engineer")) == 2
    assert len(rows(away, "appointments", task_id)) == len(rows(away, "engineer_notices", task_id)) == 1


def test_a_message_delivered_thrice_is_performed_once(away: InProcessFleet, desk: OrderSystemServer) -> None:
    task_id = taken_in(away, answered(READY))
    away.run(deliveries=3)
    closes(away, task_id)
    assert len(desk.performed) == len({key for key, _ in desk.performed}) == 2


def test_a_refusal_asks_a_person_with_the_reason(away: InProcessFleet, desk: OrderSystemServer) -> None:
    error = {"code": "part_missing", "message": "缺少配件"}
    desk.lay_out(
        "update_appointment",
        Reply(
            status=409, performs=False, body={"error": error, "offered_days": ["2026-03-20", "soon", None]}
        ),
    )
    review = asks(away, order_run(away, answered(READY)))
    assert review.reason == "part_missing"
    assert "缺少配件" in review.question
    assert "2026-03-20" in review.question
    assert "soon" not in review.question


def test_what_was_performed_before_a_refusal_is_told_and_kept(
    away: InProcessFleet, desk: OrderSystemServer
) -> None:
    desk.lay_out("notify_engineer", Reply(status=422, performs=False))
    task_id = order_run(away, answered(READY))
    review = asks(away, task_id)
    assert review.reason == "order_system_refused"
    assert "update_appointment" in review.question
    lines = [
        row["action"] for row in rows(away, "audit_logs", task_id) if row["event_type"] == "action_executed"
    ]
    assert lines == ["update_appointment"]


def test_a_person_who_lets_it_run_again_repeats_the_same_key(
    away: InProcessFleet, desk: OrderSystemServer
) -> None:
    desk.lay_out("update_appointment", *[Reply(status=500)] * 3)
    task_id = order_run(away, answered(READY))
    review = asks(away, task_id)
    assert review.reason == "order_system_unclear"
    decide(away.engine, away.context, review.review_id, Decision(decision="retry", decided_by="王芳"))
    closes(away, task_id)
    assert len(desk.of("update_appointment")) == 4
    assert [kind for _, kind in desk.performed].count("update_appointment") == 1


def test_a_cancellation_goes_there_after_its_window(away: InProcessFleet, desk: OrderSystemServer) -> None:
    task_id = order_run(away, answered(CANCEL))
    assert desk.asked == []
    assert away.leap()
    closes(away, task_id)
    assert [kind for _, kind in desk.performed] == ["cancel_order"]
    assert len(rows(away, "cancellations", task_id)) == 1


def test_a_follow_up_is_ours_alone(away: InProcessFleet, desk: OrderSystemServer) -> None:
    task_id = order_run(away, answered("配件还没到，等配件到了再说"))
    assert away.order(task_id).status == "waiting_followup"
    assert desk.asked == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"order_system_url": "http://127.0.0.1:1/x"}, "order_system_secret"),
        ({"order_system_secret": new_secret()}, "order_system_url"),
        ({"order_system_url": "http://127.0.0.1:1/", "order_system_secret": "short"}, "order_system_secret"),
        ({"order_system_url": "ftp://127.0.0.1/", "order_system_secret": new_secret()}, "http://host/path"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(
    house: InProcessFleet, changes: dict[str, str], named: str
) -> None:
    settings: Settings = settings_for("postgresql://nowhere/", **changes)
    with pytest.raises(ValueError, match=named) as caught:
        open_order_system(settings, house.database)
    assert str(changes.get("order_system_secret")) not in str(caught.value)
