"""Orders out of the Redis Stream `task.created` (SPEC.md §5)."""

import json

import pytest

from storage.orders.orders import Orders
from tasks.people.payload import shown
from tasks.people.replay import RejectResult, replay
from tasks.registry import task_forms
from tests.support.factories import payload
from tests.support.intake.intake_process import ALERTS, IntakeProcess
from tests.support.probe import Probe
from tests.support.waiting import wait_until
from workers.intake.stream import StreamIntake


def test_an_order_comes_in_by_the_stream_and_its_message_is_deleted(ground: IntakeProcess) -> None:
    order = payload()
    ground.add(order, request_id="req-of-upstream")
    with ground.served_by(StreamIntake(ground.process)):
        ground.wait_for(order)
        wait_until(ground.stream_is_done, "the message is deleted")
    assert ground.sources() == {order["task_id"]: "stream"}
    assert ground.value("SELECT request_id FROM runs") == "req-of-upstream"


@pytest.mark.parametrize(
    "poison",
    [
        "{not json",
        "",
        b"\xff\xfe",
        json.dumps(payload(metadata={"x": 2**70})),
        json.dumps(payload(metadata={"x": json.loads("[" * 150 + "]" * 150)})),
        b'{"a": "' + b"x" * 1_100_000 + b'"}',
    ],
    ids=["broken", "empty", "no text", "integer", "deep", "large"],
)
def test_a_poison_message_is_kept_and_blocks_nothing(ground: IntakeProcess, poison: str | bytes) -> None:
    order = payload()
    ground.add(poison)
    ground.add(order)
    with ground.served_by(StreamIntake(ground.process)):
        ground.wait_for(order)
        (kept,) = ground.wait_for_rejects(1)
        wait_until(ground.stream_is_done, "both messages are deleted")
    assert kept.source == "stream"
    assert ground.value(ALERTS) == 1


def test_an_order_that_cannot_be_stored_is_kept_and_its_neighbours_come_in(ground: IntakeProcess) -> None:
    orders = [payload() for _ in range(20)]
    culprit = orders.pop(13)
    ground.refuse_in_database(culprit["task_id"])
    for order in (*orders[:13], culprit, *orders[13:]):
        ground.add(order)
    ground.add("{not json")
    with ground.served_by(StreamIntake(ground.process)):
        ground.wait_for(*orders)
        kept = ground.wait_for_rejects(2)
        wait_until(ground.stream_is_done, "every message is deleted")
    assert culprit["task_id"] not in ground.sources()
    (unstorable,) = [reject for reject in kept if reject.task_id == culprit["task_id"]]
    assert "no such order is wanted here" in unstorable.problems[0]["message"]


def test_what_a_dead_consumer_left_is_taken_while_the_stream_flows(ground: IntakeProcess) -> None:
    left = [payload() for _ in range(40)]
    ground.leave_behind("intake@gone", left)
    with ground.flowing(), ground.served_by(StreamIntake(ground.process, gone_seconds=0)):
        ground.wait_for(*left)
        wait_until(lambda: ground.consumers() == {ground.own_consumer}, "the dead consumer is forgotten")


def test_all_that_this_consumer_had_taken_is_taken_first(ground: IntakeProcess) -> None:
    left = [payload() for _ in range(80)]
    ground.leave_behind(ground.own_consumer, left, idle_ms=0)
    ground.broker.xdel("task.created", *ground.entries()[:40])
    with ground.served_by(StreamIntake(ground.process)):
        ground.wait_for(*left[40:])
        wait_until(ground.stream_is_done, "nothing is left of it")


def test_large_messages_are_taken_a_few_at_a_time(ground: IntakeProcess) -> None:
    for nth in range(30):
        ground.add(b"%06d" % nth * 170_000)
    order = payload()
    ground.add(order)
    with ground.served_by(StreamIntake(ground.process)):
        ground.wait_for(order)
        wait_until(ground.stream_is_done, "every message is deleted")
    of_one_batch = "SELECT max(n) FROM (SELECT count(*) AS n FROM rejects GROUP BY xmin::text) AS batches"
    assert 1 < ground.value(of_one_batch) < 10


def test_an_order_whose_moment_is_far_from_utc_comes_in_with_its_neighbours(ground: IntakeProcess) -> None:
    orders = [payload(last_contact_time="2026-03-13T10:00:00+23:00"), payload(), payload()]
    for order in orders:
        ground.add(order)
    with ground.served_by(StreamIntake(ground.process)):
        ground.wait_for(*orders)
    assert ground.rejects() == []


def test_an_entry_without_a_payload_is_kept_with_all_its_fields(ground: IntakeProcess) -> None:
    order = payload(metadata={"phone": "13800138000"})
    fields = {"body": json.dumps(order), "colour": b"\xff", "request_id": "r-1"}
    ground.broker.xadd("task.created", fields)  # type: ignore[arg-type]
    with ground.served_by(StreamIntake(ground.process)):
        (kept,) = ground.wait_for_rejects(1)
        wait_until(ground.stream_is_done, "the entry is deleted")
    assert json.loads(kept.payload) == {**fields, "colour": "\\xff"}
    assert (kept.task_id, kept.order_id) == (order["task_id"], order["order_id"])
    assert "has no field `payload`" in kept.problems[0]["message"]
    assert "13800138000" not in shown(kept.payload, ground.process.personal)


def test_an_entry_without_a_payload_is_corrected_with_the_number_that_came(ground: IntakeProcess) -> None:
    order = payload(metadata={"phone": "13800138000"})
    ground.broker.xadd("task.created", {"body": json.dumps(order)})
    with ground.served_by(StreamIntake(ground.process)):
        (kept,) = ground.wait_for_rejects(1)
    order["metadata"]["phone"] = "138****8000"
    process = ground.process
    handling = replay(
        process.engine, task_forms(lambda: process.context), process.personal, kept.reject_id, order, by="x"
    )
    assert handling.outcome is RejectResult.REPLAYED
    with process.database.transaction() as work:
        assert str(Orders(work).find([order["task_id"]])[order["task_id"]].phone).endswith("13800138000")


def test_an_entry_whose_fields_are_the_order_goes_in_as_it_came(ground: IntakeProcess) -> None:
    ground.broker.xadd("task.created", {"task_id": "HT1", "order_id": "SO1", "order_type": "未上门"})
    with ground.served_by(StreamIntake(ground.process)):
        (kept,) = ground.wait_for_rejects(1)
    process = ground.process
    assert (
        replay(
            process.engine,
            task_forms(lambda: process.context),
            process.personal,
            kept.reject_id,
            None,
            by="x",
        ).outcome
        is RejectResult.REPLAYED
    )
    assert ground.sources() == {"HT1": "stream"}


def test_an_entry_without_a_payload_that_is_too_large_says_both(ground: IntakeProcess) -> None:
    ground.broker.xadd("task.created", {"body": "x" * 1_100_000})
    with ground.served_by(StreamIntake(ground.process)):
        (kept,) = ground.wait_for_rejects(1)
    assert [problem["field"] for problem in kept.problems] == ["entry", "body"]


def test_of_many_refused_messages_one_alert_tells(ground: IntakeProcess) -> None:
    for number in range(5):
        ground.add("{" * (number + 1))
    with ground.served_by(StreamIntake(ground.process)):
        ground.wait_for_rejects(5)
        wait_until(ground.stream_is_done, "the messages are deleted")
    assert ground.value(ALERTS) == 1
    assert ground.value("SELECT metadata->>'count' FROM alerts") == "5"


def test_a_refused_message_is_an_event_for_who_watches(ground: IntakeProcess) -> None:
    ground.add('{"task_id": "HT1"')
    with ground.served_by(StreamIntake(ground.process)):
        (kept,) = ground.wait_for_rejects(1)
    rows = Probe(ground.process.database).rows(
        "SELECT event_type, task_id, execution_id, stage, status FROM events"
    )
    assert [tuple(row) for row in rows] == [("task_rejected", "HT1", kept.reject_id, "intake", "failed")]
