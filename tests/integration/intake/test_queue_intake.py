"""Orders out of the kombu queue, on kombu's Redis transport and on RabbitMQ (SPEC.md §5)."""

import json
from typing import Any

import pytest

from tests.support.factories import payload
from tests.support.intake.intake_process import ALERTS, IntakeProcess
from tests.support.waiting import wait_until
from workers.intake.queue import QUEUE, QueueIntake


def test_an_order_comes_in_by_the_queue(queued: IntakeProcess) -> None:
    order = payload()
    queued.publish(order)
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(order)
    assert queued.sources() == {order["task_id"]: "queue"}
    assert queued.waiting() == 0


def test_the_queue_is_drained_in_batches(queued: IntakeProcess) -> None:
    orders = [payload() for _ in range(300)]
    queued.publish(*orders)
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(*orders)
    transactions = queued.value("SELECT count(DISTINCT xmin::text) FROM runs")
    assert transactions < 30
    assert queued.waiting() == 0


@pytest.mark.parametrize(
    "named", [{"headers": {"request_id": "req-of-upstream"}}, {"correlation_id": "req-of-upstream"}]
)
def test_the_producers_request_id_goes_with_the_order(queued: IntakeProcess, named: dict[str, Any]) -> None:
    order = payload()
    queued.publish(order, **named)
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(order)
    assert queued.value("SELECT request_id FROM runs") == "req-of-upstream"


def test_a_request_id_that_cannot_be_logged_is_replaced(queued: IntakeProcess) -> None:
    order = payload()
    queued.publish(order, headers={"request_id": "two\nlines"})
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(order)
    assert queued.value("SELECT request_id FROM runs").startswith("req_")


def test_the_same_message_again_makes_no_second_order(queued: IntakeProcess) -> None:
    order, after = payload(), payload()
    queued.publish(order, order, order)
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(order)
        queued.publish(order, after)
        queued.wait_for(after)
    assert queued.value("SELECT count(*) FROM runs WHERE subject_id = %s", order["task_id"]) == 1
    assert queued.rejects() == []


@pytest.mark.parametrize(
    "poison",
    [
        b"{not json",
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[" * 5000,
        json.dumps(payload(colour="red")),
        json.dumps(payload(metadata={"x": 2**70})),
        json.dumps(payload(metadata={"x": "\x00"})),
        json.dumps(payload(metadata={"x": "\ud800"})),
        b'{"a": "' + b"x" * 1_100_000 + b'"}',
    ],
    ids=[
        "broken",
        "empty",
        "no text",
        "null",
        "deep",
        "unknown field",
        "integer",
        "nul",
        "surrogate",
        "large",
    ],
)
def test_a_poison_message_is_kept_and_blocks_nothing(queued: IntakeProcess, poison: str | bytes) -> None:
    before, after = payload(), payload()
    queued.publish(before, poison, after)
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(before, after)
        (kept,) = queued.wait_for_rejects(1)
    assert kept.source == "queue"
    assert kept.problems
    assert queued.value(ALERTS) == 1
    assert queued.waiting() == 0


def test_an_order_that_cannot_be_stored_is_kept_and_its_neighbours_come_in(queued: IntakeProcess) -> None:
    orders = [payload() for _ in range(8)]
    culprit = orders.pop()
    queued.refuse_in_database(culprit["task_id"])
    queued.publish(culprit, *orders)
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(*orders)
        (kept,) = queued.wait_for_rejects(1)
    assert kept.task_id == culprit["task_id"]
    assert queued.waiting() == 0


def test_a_message_in_another_serializer_is_never_decoded(queued: IntakeProcess) -> None:
    after = payload()
    queued.publish(b"\x80\x04N.", content_type="application/x-python-serialize")
    queued.publish(after)
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(after)
        (kept,) = queued.wait_for_rejects(1)
    assert "is not JSON" in kept.problems[0]["message"]


def test_a_message_whose_compression_is_broken_is_kept(queued: IntakeProcess) -> None:
    after = payload()
    queued.publish("{}", headers={"compression": "application/x-gzip"})
    queued.publish(after)
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(after)
        (kept,) = queued.wait_for_rejects(1)
    assert kept.payload == "{}"


def test_a_compressed_message_comes_in(queued: IntakeProcess) -> None:
    order = payload()
    queued.publish(order, compression="gzip")
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(order)


def test_a_second_open_task_of_an_order_is_kept_and_alerted(queued: IntakeProcess) -> None:
    order = payload()
    second = payload(order_id=order["order_id"])
    queued.publish(order)
    with queued.served_by(QueueIntake(queued.process)):
        queued.wait_for(order)
        queued.publish(second)
        (kept,) = queued.wait_for_rejects(1)
        wait_until(lambda: queued.value(ALERTS) == 1, "it is alerted")
    assert kept.task_id == second["task_id"]
    assert order["task_id"] in kept.problems[0]["message"]


@pytest.mark.parametrize(
    "entry",
    [
        "{not json",
        "[]",
        "7",
        "{}",
        '{"properties": {}}',
        '{"properties": {"delivery_tag": "a"}}',
        '{"properties": {"delivery_tag": "a", "delivery_info": {}}}',
        '{"properties": {"delivery_tag": "a"}, "headers": 7}',
        "[" * 5000,
    ],
)
def test_an_entry_that_no_kombu_has_written_is_told_of_and_blocks_nothing(
    ground: IntakeProcess, entry: str
) -> None:
    order = payload()
    ground.broker.lpush(QUEUE.name, entry)
    ground.publish(order)
    with ground.served_by(QueueIntake(ground.process)):
        ground.wait_for(order)
        (kept,) = ground.wait_for_rejects(1)
    assert "XADD" in kept.problems[0]["message"]


def test_a_body_that_is_an_object_in_kombus_form_comes_in(ground: IntakeProcess) -> None:
    order = payload()
    envelope = {
        "body": order,
        "headers": {},
        "properties": {
            "delivery_tag": "1",
            "delivery_info": {"exchange": "tasks", "routing_key": "task.created"},
        },
    }
    ground.broker.lpush(QUEUE.name, json.dumps(envelope))
    with ground.served_by(QueueIntake(ground.process)):
        ground.wait_for(order)
