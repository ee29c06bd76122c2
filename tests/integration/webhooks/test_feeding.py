"""Which events become deliveries: all that were chosen, each once, from the moment of subscribing on."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

from sqlalchemy import text

from schemas.outbound.event_types import MessageType
from storage.core.database import Database
from storage.outbound.events import Events
from storage.outbound.subscribers import BATCH
from storage.people.rejects import NewReject, Rejects
from tasks.orders.intake.intake import Submission
from tasks.outbound.feeding import Feeder
from tests.support.factories import PARTS_MISSING, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.outbound.webhook_sender import WebhookSenderAtWork, event
from tests.support.probe import Probe
from tests.support.waiting import wait_until

NOWHERE = "http://127.0.0.1:9/"


def types(office: WebhookSenderAtWork, subscriber_id: str) -> list[str]:
    log = sorted(office.log(subscriber_id), key=lambda delivery: delivery.event_id)
    return [delivery.event_type for delivery in log]


def payload(database: Database) -> dict[str, object]:
    with database.transaction() as work:
        found: dict[str, object] = work.connection.execute(
            text("SELECT payload FROM deliveries")
        ).scalar_one()
    return found


def test_a_subscriber_is_told_of_what_it_chose(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe(NOWHERE, MessageType.CLOSED, MessageType.REJECTED)
    office.tell(
        event("a"), event("a", "review_decided"), event("a", "task_closed"), event(None, "task_rejected")
    )
    office.feed(subscriber_id)
    assert sorted(types(office, subscriber_id)) == ["task.closed", "task.rejected"]


def test_a_new_subscriber_is_not_told_of_the_past(office: WebhookSenderAtWork) -> None:
    office.tell(event("past"))
    subscriber_id = office.subscribe(NOWHERE)
    office.tell(event("present"))
    office.feed(subscriber_id)
    assert [delivery.task_id for delivery in office.log()] == ["present"]


def test_feeding_again_makes_nothing_twice(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe(NOWHERE)
    office.tell(event("a"))
    office.feed(subscriber_id)
    office.feed(subscriber_id)
    assert len(office.log()) == 1


def test_more_than_a_batch_is_fed_whole(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe(NOWHERE)
    number = 2 * BATCH + 1
    office.tell(*(event(f"t{n}") for n in range(number)))
    office.feed(subscriber_id)
    assert len({delivery.task_id for delivery in office.log()}) == number


def test_several_that_feed_at_once_make_one_delivery_and_one_run_of_each(
    office: WebhookSenderAtWork, house: InProcessFleet
) -> None:
    office.subscribe(NOWHERE)
    office.subscribe(NOWHERE)
    number = BATCH + 1
    office.tell(*(event(f"t{n}") for n in range(number)))
    feeders = [Feeder(house.engine, house.outbound) for _ in range(3)]

    def feed_all(feeder: Feeder) -> None:
        wait_until(lambda: not feeder.round() and len(office.log()) >= 2 * number, "everything is fed")

    with ThreadPoolExecutor(len(feeders)) as pool:
        list(pool.map(feed_all, feeders))
    look = Probe(office.database)
    assert look.value("SELECT count(*) FROM deliveries") == 2 * number
    assert look.value("SELECT count(DISTINCT (subscriber_id, event_id)) FROM deliveries") == 2 * number
    assert look.value("SELECT count(DISTINCT run_id) FROM deliveries") == office.runs() == 2 * number


def test_what_commits_late_is_not_missed(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe(NOWHERE)
    with office.database.transaction() as slow:
        Events(slow).append([event("slow")])
        office.tell(event("fast"))
        office.feed(subscriber_id)
        assert office.log() == []
    office.feed(subscriber_id)
    assert {delivery.task_id for delivery in office.log()} == {"slow", "fast"}


def test_what_is_rolled_back_is_not_told(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe(NOWHERE)
    with suppress(ZeroDivisionError), office.database.transaction() as failing:
        Events(failing).append([event("never")])
        _ = 1 / 0
    office.tell(event("ever"))
    office.feed(subscriber_id)
    assert [delivery.task_id for delivery in office.log()] == ["ever"]


def test_a_closed_order_is_told_with_its_reason_and_without_its_number(house: InProcessFleet) -> None:
    office = WebhookSenderAtWork(house.database)
    subscriber_id = office.subscribe(NOWHERE, MessageType.CLOSED)
    order = submission(answered())
    house.accept(order)
    house.run_to_the_end()
    office.feed(subscriber_id)
    body = payload(house.database)
    data = body["data"]
    assert isinstance(data, dict)
    assert body["type"] == "task.closed"
    assert (data["task_id"], data["order_id"]) == (order.body.task_id, order.body.order_id)
    assert (data["state"], data["finish_reason"]) == ("closed", "visit_arranged")
    assert data["next_contact_time"] is None
    assert str(order.body.metadata.phone) not in str(body)


def test_an_order_that_waits_is_told_with_the_time_it_waits_for(house: InProcessFleet) -> None:
    office = WebhookSenderAtWork(house.database)
    subscriber_id = office.subscribe(NOWHERE, MessageType.WAITING)
    order = submission(answered(PARTS_MISSING))
    house.accept(order)
    while house.order(order.body.task_id).status != "waiting_followup":
        house.run()
        if house.order(order.body.task_id).status != "waiting_followup":
            assert house.leap()
    office.feed(subscriber_id)
    data = payload(house.database)["data"]
    assert isinstance(data, dict)
    waits_until = house.order(order.body.task_id).next_contact_time
    assert waits_until is not None
    assert data["state"] == "waiting_followup"
    told = datetime.fromisoformat(data["next_contact_time"])
    assert abs((told - waits_until).total_seconds()) < 0.001


def test_an_action_that_ends_in_no_wait_is_not_told_as_one(house: InProcessFleet) -> None:
    office = WebhookSenderAtWork(house.database)
    subscriber_id = office.subscribe(NOWHERE)
    house.accept(submission(answered()))
    house.run_to_the_end()
    office.feed(subscriber_id)
    assert types(office, subscriber_id) == ["task.closed"]


def test_the_state_told_is_that_of_the_event_even_when_told_late(house: InProcessFleet) -> None:
    office = WebhookSenderAtWork(house.database)
    subscriber_id = office.subscribe(NOWHERE)
    house.accept(submission(answered(PARTS_MISSING), answered()))
    house.run_to_the_end()
    office.feed(subscriber_id)
    assert types(office, subscriber_id) == ["task.waiting", "task.closed"]


def test_a_number_in_refused_input_is_masked(office: WebhookSenderAtWork) -> None:
    subscriber_id = office.subscribe(NOWHERE)
    office.tell(event("13800138000", "task_rejected", "联系13800138000"))
    office.feed(subscriber_id)
    assert "13800138000" not in str(payload(office.database))
    assert [delivery.task_id for delivery in office.log()] == ["138****8000"]


def rejected(database: Database, *rejects: NewReject) -> dict[str, object]:
    """What a subscriber is told of the last of these inputs that were refused."""
    office = WebhookSenderAtWork(database)
    subscriber_id = office.subscribe(NOWHERE, MessageType.REJECTED)
    with database.transaction() as work:
        Rejects(work).keep(rejects)
    office.feed(subscriber_id)
    data = payload(database)["data"]
    assert isinstance(data, dict)
    return data


def test_of_refused_input_its_names_and_its_faults_are_told(database: Database) -> None:
    problem = {"field": "metadata", "message": "请致电 13800138000"}
    data = rejected(
        database,
        NewReject(
            source="stream",
            task_id="HW17956655830",
            order_id="SO17956655830",
            payload="{}",
            problems=[problem],
        ),
    )
    assert (data["task_id"], data["order_id"]) == ("HW17956655830", "SO17956655830")
    assert data["problems"] == [{"field": "metadata", "message": "请致电 138****8000"}]


def test_a_bare_number_for_a_name_is_masked(database: Database) -> None:
    refused = NewReject(
        source="stream", task_id="13800138000", order_id="13800138000", payload="{}", problems=[]
    )
    data = rejected(database, refused)
    assert (data["task_id"], data["order_id"]) == ("138****8000", "138****8000")


def test_the_name_of_an_order_is_told_though_it_is_nothing_but_digits(house: InProcessFleet) -> None:
    order = submission(task_id="13800138000")
    house.accept(order)
    refused = NewReject(source="stream", task_id="13800138000", payload="{}", problems=[])
    data = rejected(house.database, refused)
    assert (data["task_id"], data["order_id"]) == ("13800138000", order.body.order_id)


def test_a_refusal_is_told_in_the_order_of_its_task(
    office: WebhookSenderAtWork, house: InProcessFleet
) -> None:
    order = submission(task_id="HW17956655830")
    subscriber_id = office.subscribe(NOWHERE)
    house.accept(order)
    house.accept(Submission(order.body.model_copy(update={"priority": 9})))
    office.tell(event("HW17956655830", "task_closed"))
    office.feed(subscriber_id)
    assert types(office, subscriber_id) == ["task.rejected", "task.closed"]
    assert office.next_of(subscriber_id, "HW17956655830").payload["type"] == "task.rejected"


def test_an_order_that_has_not_moved_yet_is_told_in_its_first_state(house: InProcessFleet) -> None:
    office = WebhookSenderAtWork(house.database)
    subscriber_id = office.subscribe(NOWHERE, MessageType.REVIEW_OPENED)
    house.accept(submission(metadata={"phone": None}))
    house.run()
    office.feed(subscriber_id)
    data = payload(house.database)["data"]
    assert isinstance(data, dict)
    assert data["state"] == "pending"
