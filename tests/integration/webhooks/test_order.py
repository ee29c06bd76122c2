"""In order within a task; across subscribers and processes, nobody waits for another."""

import threading
from collections import Counter
from typing import Literal

from schemas.outbound.effects import DeliveryAttempt
from storage.outbound.outbox import Outbox, WaitingDelivery
from tests.support.outbound.webhook_receiver import Received, Reply, WebhookReceiver
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, couriers, event
from tests.support.waiting import wait_until


def test_events_of_a_task_arrive_in_their_order_whatever_fails(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    failed: Counter[str] = Counter()

    def moody(received: Received) -> Reply:
        failed[received.id] += 1
        return Reply(500 if failed[received.id] < 1 + received.event_id % 2 else 200)

    receiver.behaviour = moody
    office.subscribe(receiver.url)
    tasks = [f"t{n}" for n in range(6)]
    for _ in range(4):
        office.tell(*(event(task_id) for task_id in tasks))
    with couriers(office.database, 2):
        wait_until(lambda: office.states() == ["delivered"] * 24, seconds=180)
    for task_id in tasks:
        told = [received.event_id for received in receiver.of_task(task_id)]
        assert told == sorted(told)
        assert len(set(told)) == 4


def test_a_later_one_waits_while_the_earlier_one_fails(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda received: Reply(500 if received.type == "task.review_opened" else 200)
    office.subscribe(receiver.url)
    office.tell(event("a"), event("a", "task_closed"), event("b", "task_closed"))
    with couriers(office.database):
        wait_until(lambda: len(receiver.of_task("a")) >= 3 and "delivered" in office.states())
    assert {received.type for received in receiver.of_task("a")} == {"task.review_opened"}
    assert len(receiver.of_task("b")) == 1


def test_what_was_given_up_holds_nothing_up(office: WebhookSenderAtWork, receiver: WebhookReceiver) -> None:
    receiver.behaviour = lambda received: Reply(500 if received.type == "task.review_opened" else 200)
    subscriber_id = office.subscribe(receiver.url)
    office.tell(event("a"), event("a", "task_closed"))
    office.feed(subscriber_id)
    office.change(
        "UPDATE deliveries SET created_at = created_at - interval '24 hours' "
        "WHERE event_type = 'task.review_opened'"
    )
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered", "given_up"])


def test_two_processes_never_send_the_same(office: WebhookSenderAtWork, receiver: WebhookReceiver) -> None:
    subscriber_id = office.subscribe(receiver.url)
    office.tell(*(event(f"t{n}") for n in range(60)))
    office.feed(subscriber_id)
    with couriers(office.database, 2):
        wait_until(lambda: office.states() == ["delivered"] * 60)
    assert max(Counter(received.id for received in receiver.received).values()) == 1


def test_a_receiver_that_hangs_keeps_nobody_else_waiting(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    never = threading.Event()
    with WebhookReceiver() as hanging:
        hanging.behaviour = lambda _: Reply(after=never)
        slow = office.subscribe(hanging.url)
        fast = office.subscribe(receiver.url)
        office.tell(*(event(f"t{n}") for n in range(40)))
        office.feed(slow)
        wait_for = ["delivered"] * 40
        with couriers(office.database):
            wait_until(lambda: office.states(fast) == wait_for, seconds=180)
            assert len(hanging.received) < 40
        never.set()


def test_a_receiver_that_was_away_for_a_day_costs_a_few_tries_and_not_one_a_message(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda _: Reply(503)
    subscriber_id = office.subscribe(receiver.url)
    office.tell(*(event(f"t{n}") for n in range(50)))
    office.feed(subscriber_id)
    office.change("UPDATE deliveries SET created_at = created_at - interval '24 hours'")
    with couriers(office.database):
        wait_until(lambda: office.states() == ["given_up"] * 50)
    assert len(receiver.received) < 20
    assert len(office.alerts()) < 20


def test_a_result_that_comes_late_takes_nothing_back(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe("http://127.0.0.1:9/")
    office.tell(event("a"))
    office.feed(subscriber_id)
    first = office.next_of(subscriber_id, "a")
    failed = tried(first, "waiting", "answered 500")
    with office.database.transaction() as work:
        assert Outbox(work).conclude([failed]) == {first.delivery_id}
        # The same try once more, and then one that arrived.
        assert Outbox(work).conclude([failed]) == set()
        assert Outbox(work).conclude([tried(first, "delivered", None)]) == {first.delivery_id}
        assert Outbox(work).conclude([failed]) == set()
    (delivery,) = office.log()
    assert (delivery.state, delivery.tries) == ("delivered", 1)


def tried(
    waiting: WaitingDelivery, state: Literal["waiting", "delivered"], error: str | None
) -> DeliveryAttempt:
    return DeliveryAttempt(
        delivery_id=waiting.delivery_id,
        tries=waiting.tries,
        state=state,
        status=500 if error else 200,
        error=error,
        due_at=waiting.created_at,
    )
