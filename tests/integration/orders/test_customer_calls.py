"""Customers who turn to us are heard: at once where the order can take an answer, and never lost (SPEC.md §8)."""

import time
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any, Self

import pytest

from schemas.contact import Channel, ContactResult
from schemas.signals import CustomerCalled
from statemachine.states import State
from tasks.callbacks import Callback, Heard, hear
from tasks.intervention import pause, resume
from tasks.signals import Taken
from tests.factories import CANCEL, PARTS_MISSING, READY, answered, submission
from tests.house import House
from tests.integration.orders.telling import Line, contacts, everything_shown, tell
from tools.channels.contract import ContactReport

UNCLEAR = "先等等"
CALLED = CustomerCalled(words=READY)
DEADLINE_SECONDS = 60.0


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def calling(database_url: str, line: Line) -> Iterator[House]:
    """A house whose contacts are accepted and wait for reports."""
    built = House.build(database_url, gateway=line)
    yield built
    built.close()


def taken_in(house: House, *script: dict[str, object], **changes: Any) -> str:
    """An order that was accepted and not yet worked on."""
    order = submission(*script, **changes)
    house.accept(order)
    return order.body.task_id


def worked(house: House, *script: dict[str, object], **changes: Any) -> str:
    """An order that went as far as it goes by itself now."""
    task_id = taken_in(house, *script, **changes)
    house.run()
    return task_id


def report(key: str, result: ContactResult, words: str = "") -> Callback:
    """What a provider reports of the contact with this key."""
    said = ContactReport(
        event_id=f"{key}.{result}",
        key=key,
        provider_id=f"p-{key}",
        channel=Channel.PHONE,
        result=result,
        transcript=words,
        duration_seconds=30,
        recording_url=None,
        occurred_at=None,
    )
    return Callback(said, "{}")


def alerts_of(house: House, task_id: str) -> list[str]:
    """The kinds of alerts that were raised for an order."""
    with house.database.transaction() as work:
        return [alert["alert_type"] for alert in work.alerts.of_task(task_id)]


def only_words_are_kept(house: House, task_id: str, words: str = READY) -> bool:
    """Whether exactly one call of the customer is kept, with these words."""
    return [contact.transcript for contact in contacts(house, task_id, "inbound")] == [words]


def test_a_customer_who_calls_before_the_first_contact_is_not_called(calling: House, line: Line) -> None:
    task_id = taken_in(calling)
    receipt = tell(calling, task_id, CALLED)
    assert (receipt.taken, receipt.status) == (Taken.APPLIED, "responded")
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"
    assert line.keys == []


def test_a_customer_who_calls_while_a_call_waits_for_its_result_is_heard_at_once(
    calling: House, line: Line
) -> None:
    task_id = worked(calling)
    assert tell(calling, task_id, CALLED).taken is Taken.APPLIED
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"
    assert len(line.keys) == 1


def test_the_result_of_the_dropped_call_is_kept_as_evidence_alone(calling: House, line: Line) -> None:
    task_id = worked(calling)
    tell(calling, task_id, CustomerCalled(words=CANCEL))
    calling.run()
    before = calling.events(task_id)
    heard = hear(calling.engine, "simulator", [report(line.keys[0], ContactResult.NO_ANSWER)])
    assert heard == [Heard.LATE]
    assert calling.events(task_id) == before
    assert [c.contact_result for c in contacts(calling, task_id, "outbound")] == ["no_answer"]


def test_a_customer_who_calls_back_after_a_vain_attempt_is_heard(calling: House, line: Line) -> None:
    task_id = worked(calling)
    hear(calling.engine, "simulator", [report(line.keys[0], ContactResult.NO_ANSWER)])
    assert calling.order(task_id).status is State.NO_RESPONSE
    assert tell(calling, task_id, CALLED).status == "responded"
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"
    assert len(line.keys) == 1


def test_a_customer_who_calls_before_the_follow_up_is_heard(house: House) -> None:
    task_id = worked(house, answered(PARTS_MISSING))
    assert house.order(task_id).status is State.WAITING_FOLLOWUP
    assert tell(house, task_id, CALLED).taken is Taken.APPLIED
    house.run()
    order = house.order(task_id)
    assert (order.finish_reason, order.round) == ("visit_arranged", 1)
    with house.database.transaction() as work:
        moves = work.timeline.transitions(task_id)
    (call,) = contacts(house, task_id, "inbound")
    (answer,) = [move for move in moves if move["from_state"] == "waiting_followup"]
    assert (answer["event"], answer["metadata"]["contact_id"]) == ("user.responded", call.contact_id)


def test_what_a_customer_says_by_themselves_is_no_attempt(calling: House, line: Line) -> None:
    task_id = worked(calling)
    before = calling.order(task_id)
    tell(calling, task_id, CustomerCalled(words=UNCLEAR, channel="im"))
    calling.run()
    tell(calling, task_id, CustomerCalled(words=READY))
    order = calling.order(task_id)
    assert (order.contact_count, order.contacts_total) == (before.contact_count, before.contacts_total)
    with calling.database.transaction() as work:
        history = work.contacts.history([task_id])[task_id]
        latest = work.contacts.latest([task_id])[task_id]
        counted = sum(channel.attempts for channel in work.figures.contacts())
    assert len(history) == 1
    assert latest.key == line.keys[0]
    assert counted == 1
    calls = contacts(calling, task_id, "inbound")
    assert [(call.round, call.contact_no, call.contact_method) for call in calls] == [
        (1, -1, "im"),
        (1, -2, "phone"),
    ]


def test_no_provider_can_report_on_what_a_customer_said_by_themselves(house: House) -> None:
    task_id = worked(house, answered(PARTS_MISSING))
    tell(house, task_id, CustomerCalled(words=PARTS_MISSING))
    house.run()
    (call,) = contacts(house, task_id, "inbound")
    assert hear(house.engine, "simulator", [report(call.key, ContactResult.ANSWERED, READY)]) == [
        Heard.UNKNOWN_KEY
    ]


@pytest.mark.parametrize(
    ("script", "state"),
    [(answered(UNCLEAR), "responded"), (answered(CANCEL), "classified")],
    ids=["in review", "in its undo window"],
)
def test_where_an_answer_is_being_dealt_with_a_person_is_called(
    house: House, script: dict[str, object], state: str
) -> None:
    task_id = worked(house, script)
    before = house.events(task_id)
    receipt = tell(house, task_id, CALLED)
    assert (receipt.taken, receipt.status) == (Taken.NOTED, state)
    assert house.events(task_id) == before
    assert alerts_of(house, task_id).count("customer_called") == 1
    assert only_words_are_kept(house, task_id)


def test_a_review_stays_open_when_the_customer_calls(house: House) -> None:
    task_id = worked(house, metadata={"phone": None})
    assert tell(house, task_id, CALLED).taken is Taken.NOTED
    with house.database.transaction() as work:
        assert len(work.reviews.list(task_id=task_id)) == 1


def test_a_closed_order_takes_no_call(house: House) -> None:
    task_id = worked(house, answered(READY))
    assert tell(house, task_id, CALLED).taken is Taken.REFUSED
    assert contacts(house, task_id, "inbound") == []


def test_a_call_to_a_paused_order_is_understood_once_it_goes_on(calling: House, line: Line) -> None:
    task_id = taken_in(calling)
    pause(calling.engine, task_id, by="operator")
    assert tell(calling, task_id, CALLED).status == "responded"
    calling.run()
    assert calling.order(task_id).status is State.RESPONDED
    resume(calling.engine, task_id, by="operator")
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"


def test_what_a_customer_said_stands_in_no_event_and_no_audit_line(house: House) -> None:
    words = "我的新号码是13912345678，配件到了可以上门"
    orders = [taken_in(house), worked(house, answered(CANCEL))]
    for task_id in orders:
        tell(house, task_id, CustomerCalled(words=words))
    shown = everything_shown(house)
    assert "customer_called" in shown
    assert words not in shown
    assert "13912345678" not in shown


class Placing:
    """A worker that is placing a contact, and places it when it is let go."""

    def __init__(self, house: House, line: Line) -> None:
        self._line = line
        line.free.clear()
        self._worker = Thread(target=house.run)

    def __enter__(self) -> Self:
        self._worker.start()
        assert self._line.placing.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._line.free.set()
        self._worker.join(30)
        assert not self._worker.is_alive()


def test_a_contact_that_is_being_placed_is_not_cut_off_and_nothing_is_written_yet(
    calling: House, line: Line
) -> None:
    task_id = taken_in(calling)
    with Placing(calling, line):
        assert tell(calling, task_id, CALLED, signal_id="one", patient=True).taken is Taken.BUSY
        assert contacts(calling, task_id, "inbound") == []
    assert [s["state"] for s in calling.steps(task_id)][-1] == "parked"
    assert tell(calling, task_id, CALLED, signal_id="one", patient=True).taken is Taken.APPLIED


def test_words_that_cannot_wait_longer_are_kept_and_count_when_they_are_sent_again(
    calling: House, line: Line
) -> None:
    task_id = taken_in(calling)
    with Placing(calling, line):
        kept = [tell(calling, task_id, CALLED, signal_id="one").taken for _ in range(2)]
        assert kept == [Taken.KEPT, Taken.KEPT]
    assert only_words_are_kept(calling, task_id)
    assert alerts_of(calling, task_id) == ["customer_called"]
    assert tell(calling, task_id, CALLED, signal_id="one").taken is Taken.APPLIED
    assert tell(calling, task_id, CALLED, signal_id="one").taken is Taken.REPEATED
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"
    assert only_words_are_kept(calling, task_id)
    assert alerts_of(calling, task_id) == ["customer_called"]
    assert len(line.keys) == 1


def test_words_that_were_kept_are_not_lost_when_the_order_has_gone_on(calling: House, line: Line) -> None:
    task_id = taken_in(calling)
    with Placing(calling, line):
        tell(calling, task_id, CALLED, signal_id="one")
    hear(calling.engine, "simulator", [report(line.keys[0], ContactResult.ANSWERED, CANCEL)])
    calling.run()
    assert tell(calling, task_id, CALLED, signal_id="one").taken is Taken.NOTED
    assert calling.order(task_id).status is State.CLASSIFIED
    assert only_words_are_kept(calling, task_id)


def insist(house: House, task_id: str, line: Line) -> list[Taken]:
    """Send one signal as the door does, until something became of it; a line that is in the way is let go."""
    until = time.monotonic() + DEADLINE_SECONDS
    taken: list[Taken] = []
    while time.monotonic() < until:
        taken.append(tell(house, task_id, CALLED, signal_id="one", patient=True).taken)
        if taken[-1] is not Taken.BUSY:
            return taken
        line.free.set()
    raise AssertionError(f"{task_id} was at work all the time")


def test_whoever_comes_first_the_worker_the_tick_or_the_customer_nobody_is_called_twice(
    calling: House, line: Line
) -> None:
    waiting = [taken_in(calling) for _ in range(8)]
    for task_id in waiting:
        tell(calling, task_id, CustomerCalled(words=PARTS_MISSING))
    calling.run()
    assert all(calling.order(task_id).status is State.WAITING_FOLLOWUP for task_id in waiting)
    agreed = [calling.order(task_id).next_contact_time for task_id in waiting]
    with calling.database.transaction() as work:
        work.clock.set(max(moment for moment in agreed if moment))
    new = [taken_in(calling) for _ in range(8)]
    line.free.clear()
    stop = Event()

    def work_on() -> None:
        while not stop.is_set():
            calling.run()

    worker = Thread(target=work_on)
    worker.start()
    assert line.placing.wait(30)
    orders = [task_id for pair in zip(waiting, new, strict=True) for task_id in pair]
    taken = [insist(calling, task_id, line) for task_id in orders]
    stop.set()
    worker.join(DEADLINE_SECONDS)
    assert not worker.is_alive()
    calling.run()
    assert [tries[-1] for tries in taken] == [Taken.APPLIED] * len(orders)
    assert any(tries[0] is Taken.BUSY for tries in taken)
    assert len(set(line.keys)) == len(line.keys)
    for task_id in orders:
        assert calling.order(task_id).finish_reason == "visit_arranged"
        assert [c.transcript for c in contacts(calling, task_id, "inbound")][-1] == READY
        assert len(contacts(calling, task_id, "outbound")) <= 1
