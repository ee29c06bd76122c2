"""The runs that carry deliveries: one for each task and subscriber, and none of them a task."""

from datetime import timedelta

from fleet.time_jump import JumpResult, TimeJumper
from runtime.settings import PROJECT
from storage.flows.task_list import TaskFilter, TaskList
from storage.outbound.deliveries import Deliveries
from storage.outbound.subscribers import Subscribers
from tasks.orders.upkeep.retention import retain
from tests.support.outbound.webhook_receiver import Reply, WebhookReceiver
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, couriers, event
from tests.support.waiting import wait_until
from tools.policies.retention import load_retention

LATER = Reply(503, {"Retry-After": "3600"})


def test_the_deliveries_of_a_task_are_carried_by_one_run(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    subscriber_id = office.subscribe(receiver.url)
    office.tell(event("a"), event("a", "task_closed"), event("b"), event(None, "task_rejected"))
    office.feed(subscriber_id)
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"] * 4)
        wait_until(lambda: office.runs("state = 'completed'") == 3)
    assert office.runs() == 3


def test_what_comes_while_a_run_is_open_is_carried_by_it(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda _: LATER
    subscriber_id = office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.log() != [] and office.log()[0].last_status == 503)
        office.tell(event("a", "task_closed"))
        office.feed(subscriber_id)
        wait_until(lambda: office.value("SELECT count(*) FROM deliveries WHERE run_id IS NULL") == 0)
    assert office.runs() == 1
    assert len(receiver.received) == 1


def test_a_run_is_no_task_and_emits_nothing(office: WebhookSenderAtWork, receiver: WebhookReceiver) -> None:
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])
    with office.database.transaction() as work:
        assert TaskList(work).page(TaskFilter(), after=None, limit=10) == []
    assert office.value("SELECT count(*) FROM events") == 1


def test_a_message_that_is_to_be_tried_later_keeps_nobody_from_leaping(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda _: LATER
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.runs("open_steps = 1") == 1 and len(receiver.received) == 1)
        wait_until(lambda: office.value("SELECT state FROM steps") == "scheduled")
    assert TimeJumper(office.database).look(timedelta(0)) is JumpResult.SETTLED


def test_the_runs_of_a_subscriber_that_is_removed_end(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda _: LATER
    subscriber_id = office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.runs() == 1 and office.value("SELECT state FROM steps") == "scheduled")
        with office.database.transaction() as work:
            assert Subscribers(work).remove(subscriber_id)
        wait_until(lambda: office.runs("state = 'completed'") == 1)
    assert len(receiver.received) == 1


def test_what_a_failed_run_has_left_is_carried_by_another(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    subscriber_id = office.subscribe(receiver.url)
    office.tell(event("a"))
    office.feed(subscriber_id)
    office.change(
        "INSERT INTO runs (run_id, workflow, version, state, open_steps) "
        "VALUES ('exec_1', 'action:outbound.deliver_webhook', '1', 'failed', 0)"
    )
    office.change("UPDATE deliveries SET run_id = 'exec_1'")
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered"])


def test_what_is_asked_for_again_goes_before_what_waits_behind_it(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    receiver.behaviour = lambda received: LATER if received.type == "task.closed" else Reply()
    subscriber_id = office.subscribe(receiver.url)
    office.tell(event("a"), event("a", "task_closed"))
    with couriers(office.database):
        wait_until(lambda: office.states() == ["delivered", "waiting"] and len(receiver.received) == 2)
        wait_until(lambda: office.value("SELECT state FROM steps") == "scheduled")
        with office.database.transaction() as work:
            first = min(office.log(subscriber_id), key=lambda delivery: delivery.event_id)
            Deliveries(work).replay(first.delivery_id)
        wait_until(lambda: [r.id for r in receiver.received].count(first.delivery_id) == 2)
    assert office.runs() == 1


def test_ended_runs_are_removed_with_what_they_carried(
    office: WebhookSenderAtWork, receiver: WebhookReceiver
) -> None:
    office.subscribe(receiver.url)
    office.tell(event("a"))
    with couriers(office.database):
        wait_until(lambda: office.runs("state = 'completed'") == 1)
    office.change("UPDATE deliveries SET ended_at = ended_at - interval '2 years'")
    office.change("UPDATE runs SET finished_at = finished_at - interval '2 years'")
    retain(office.database, load_retention(PROJECT / "config" / "policies" / "retention.yaml"))
    assert (office.log(), office.runs(), office.value("SELECT count(*) FROM steps")) == ([], 0, 0)
