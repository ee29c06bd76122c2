"""What becomes of a delivery: sent, sent again, given up; signed, never followed, never lost."""

import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from runtime.cipher import Cipher
from schemas.outbound.event_types import MessageType
from storage.core.database import Database
from storage.outbound.deliveries import Deliveries, ReplayResult
from storage.outbound.subscribers import Subscribers
from tasks.outbound.sending import SendingLimits
from tests.support.outbound.webhook_receiver import Behaviour, Received, Reply, WebhookReceiver
from tests.support.outbound.webhook_sender import FAST, WebhookSenderAtWork, couriers, event
from tests.support.waiting import wait_until
from tools.webhooks.signature import new_secret, sign


def one_after_another(*replies: Reply) -> Behaviour:
    """These replies, then success."""
    left = iter(replies)
    return lambda _: next(left, Reply())


def signatures(received: Received, secrets: Sequence[str]) -> str:
    at = int(received.headers["webhook-timestamp"])
    return " ".join(sign(secret, received.id, at, received.body) for secret in secrets)


def test_what_happened_arrives_signed(office: WebhookSenderAtWork, receiver: WebhookReceiver) -> None:
    secret = new_secret()
    office.subscribe(receiver.url, secret=secret)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])
    (received,) = receiver.received
    (delivery,) = office.log()
    assert received.id == delivery.delivery_id
    assert received.headers["webhook-signature"] == signatures(received, [secret])
    assert received.headers["content-type"] == "application/json"
    assert list(received.message) == ["type", "timestamp", "data"]


@pytest.mark.parametrize(
    "reply", [Reply(500), Reply(302, {"Location": "/elsewhere"}), Reply(400), Reply(drop=True)]
)
def test_what_failed_is_sent_again_under_the_same_id(
    office: WebhookSenderAtWork, receiver: WebhookReceiver, reply: Reply
) -> None:
    receiver.behaviour = one_after_another(reply)
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])
    assert [received.id for received in receiver.received] == [office.log()[0].delivery_id] * 2
    assert {received.path for received in receiver.received} == {"/hooks"}
    assert len({received.body for received in receiver.received}) == 1


def test_a_receiver_that_is_too_slow_is_asked_again(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    never = threading.Event()
    receiver.behaviour = one_after_another(Reply(after=never))
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])
    never.set()
    assert len(receiver.received) == 2


def test_a_failure_is_told_in_the_log(office: WebhookSenderAtWork, receiver: WebhookReceiver) -> None:
    receiver.behaviour = lambda _: Reply(503, {"Retry-After": "3600"})
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.log() != [] and office.log()[0].last_status == 503)
    (delivery,) = office.log()
    assert (delivery.state, delivery.tries, delivery.last_error) == ("waiting", 1, "answered 503")


def test_a_receiver_that_asks_for_time_is_given_it(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda _: Reply(429, {"Retry-After": "3600"})
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.log() != [] and office.log()[0].last_status == 429)
    (delivery,) = office.log()
    assert delivery.due_at - delivery.created_at >= timedelta(minutes=59)


def test_a_day_after_it_was_made_a_message_is_given_up_with_an_alert(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda _: Reply(500)
    subscriber_id = office.subscribe(receiver.url)
    office.tell(event("a"))
    office.feed(subscriber_id)
    office.change("UPDATE deliveries SET created_at = created_at - interval '24 hours'")
    with couriers(office.database):
        wait_until(lambda: office.states() == ["given_up"])
    assert len(receiver.received) == 1
    assert office.alerts() == ["webhook_given_up"]


def test_the_last_try_is_a_day_after_it_was_made_and_not_later(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda _: Reply(503, {"Retry-After": "7200"})
    subscriber_id = office.subscribe(receiver.url)
    office.tell(event("a"))
    office.feed(subscriber_id)
    office.change("UPDATE deliveries SET created_at = created_at - interval '23 hours'")
    with couriers(office.database):
        wait_until(lambda: office.log()[0].last_status == 503)
    (delivery,) = office.log()
    assert delivery.due_at - delivery.created_at == timedelta(hours=24)


def test_a_receiver_that_is_gone_is_told_nothing_more(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda _: Reply(410)
    office.subscribe(receiver.url)
    office.tell(event("a"), event("a", "review_decided"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["given_up", "given_up"])
        office.tell(event("b"))
    assert len(receiver.received) == 1
    assert len(office.log()) == 2
    assert office.alerts() == ["webhook_subscriber_gone"]
    with office.database.transaction() as work:
        assert [subscriber.active for subscriber in Subscribers(work).all()] == [False]


def test_while_a_secret_is_changed_messages_carry_both_signatures(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    former, current = new_secret(), new_secret()
    subscriber_id = office.subscribe(receiver.url, secret=former)
    with office.database.transaction() as work:
        assert Subscribers(work).rotate(subscriber_id, current, timedelta(hours=24))
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])
    (received,) = receiver.received
    assert received.headers["webhook-signature"] == signatures(received, [current, former])


def test_after_the_change_the_former_secret_signs_no_more(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    current = new_secret()
    subscriber_id = office.subscribe(receiver.url)
    with office.database.transaction() as work:
        Subscribers(work).rotate(subscriber_id, current, timedelta(0))
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])
    (received,) = receiver.received
    assert received.headers["webhook-signature"] == signatures(received, [current])


def test_a_secret_is_not_stored_in_clear(office: WebhookSenderAtWork) -> None:
    secret = new_secret()
    subscriber_id = office.subscribe("http://127.0.0.1:9/", secret=secret)
    with office.database.transaction() as work:
        kept = Subscribers(work).secrets(subscriber_id)
    assert kept is not None
    assert kept.open() == (secret,)
    assert secret.encode() not in kept.sealed.stored


def test_what_was_delivered_is_sent_again_when_asked_for(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    office.subscribe(receiver.url, MessageType.CLOSED)
    office.tell(event("a", "task_closed"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])
        with office.database.transaction() as work:
            assert Deliveries(work).replay(office.log()[0].delivery_id) is ReplayResult.AGAIN
        wait_until(lambda: len(receiver.received) == 2)
        wait_until(lambda: office.states() == ["delivered"])
    assert len({received.id for received in receiver.received}) == 1


def test_asking_for_one_that_is_under_way_does_not_send_it_twice_at_once(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    answered = threading.Event()
    receiver.behaviour = lambda _: Reply(after=answered)
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database, 2, SendingLimits(timeout_seconds=30.0)):
        wait_until(lambda: len(receiver.received) == 1)
        with office.database.transaction() as work:
            assert Deliveries(work).replay(office.log()[0].delivery_id) is ReplayResult.BROUGHT_FORWARD
        answered.set()
        wait_until(lambda: office.states() == ["delivered"])
    assert len(receiver.received) == 1


def test_asking_for_one_that_waits_for_its_next_try_sends_it_now(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = one_after_another(Reply(503, {"Retry-After": "3600"}))
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.log() != [] and office.log()[0].last_status == 503)
        with office.database.transaction() as work:
            assert Deliveries(work).replay(office.log()[0].delivery_id) is ReplayResult.BROUGHT_FORWARD
        wait_until(lambda: office.states() == ["delivered"])


def test_a_secret_that_cannot_be_read_is_a_failure_that_is_tried_again(
    office: WebhookSenderAtWork, receiver: WebhookReceiver, database_url: str
) -> None:
    subscriber_id = office.subscribe(receiver.url)
    office.tell(event("a"))
    office.feed(subscriber_id)
    with Database(database_url, Cipher(Cipher.new_key())) as elsewhere, couriers(elsewhere):
        wait_until(lambda: office.log()[0].last_error is not None)
    assert receiver.received == []
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])


def test_a_time_that_nobody_can_wait_for_is_a_failed_try_like_any_other(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    never = Reply(503, {"Retry-After": "1 Jan 99999999999999999999 00:00:00 GMT"})
    receiver.behaviour = one_after_another(*[never] * 3)
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])
    assert len(receiver.received) == 4


def test_a_fault_of_ours_is_a_failed_try_that_is_told_and_keeps_no_place(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    left = iter(range(2 * FAST.most_at_once))

    def break_off(_: str, __: str) -> None:
        if next(left, None) is not None:
            raise ZeroDivisionError

    office.subscribe(receiver.url)
    office.tell(*(event(f"t{n}") for n in range(4)))
    with capture_logs() as lines, couriers(office.database, judge=break_off):
        wait_until(lambda: any(delivery.last_error for delivery in office.log()))
        faults = {delivery.last_error for delivery in office.log()} - {None}
    assert faults == {"a fault of ours: ZeroDivisionError"}
    told = [line for line in lines if line["log_level"] == "error"]
    assert {line["fault"] for line in told} == {"ZeroDivisionError"}
    assert "test_sending.py" in told[0]["where"][-1]


def test_after_more_faults_of_ours_than_there_are_places_everything_arrives(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    left = iter(range(FAST.most_to_one))

    def break_off(_: str, __: str) -> None:
        if next(left, None) is not None:
            raise ZeroDivisionError

    office.subscribe(receiver.url)
    office.tell(*(event(f"t{n}") for n in range(8)))
    with couriers(office.database, judge=break_off):
        wait_until(lambda: office.states() == ["delivered"] * 8)


def test_how_long_the_oldest_due_message_waits_is_known(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe("http://127.0.0.1:9/")
    office.tell(event("a"), event("b"))
    office.feed(subscriber_id)
    office.change("UPDATE deliveries SET due_at = clock_timestamp() - interval '1 hour' WHERE task_id = 'b'")
    with office.database.transaction() as work:
        assert 3600 <= Deliveries(work).oldest_due_seconds() < 3660


def test_a_message_that_may_not_go_yet_is_not_late(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe("http://127.0.0.1:9/")
    office.tell(event("a"), event("a", "task_closed"), event("b"))
    office.feed(subscriber_id)
    # The first of one task waits for its next try, its second for the first; the other is in somebody's hands.
    office.change(
        "UPDATE deliveries SET due_at = due_at - interval '1 hour' WHERE event_type = 'task.closed'"
    )
    office.change(
        "UPDATE deliveries SET due_at = due_at + interval '1 hour' WHERE event_type <> 'task.closed'"
    )
    with office.database.transaction() as work:
        assert Deliveries(work).oldest_due_seconds() == 0


def test_what_waits_for_a_subscriber_that_is_gone_is_not_late(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe("http://127.0.0.1:9/")
    office.tell(event("a"))
    office.feed(subscriber_id)
    with office.database.transaction() as work:
        assert Deliveries(work).oldest_due_seconds() > 0
        Subscribers(work).deactivate(subscriber_id)
        assert Deliveries(work).oldest_due_seconds() == 0
