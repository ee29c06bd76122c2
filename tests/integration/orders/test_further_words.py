"""Words of a customer that the order does not wait for: kept, told to a person, and heeded where they cannot wait."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from schemas.orders.signals import CustomerCalled
from statemachine.orders.states import State
from tasks.orders.inbound.reports import ReportOutcome
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.scripted_channel import ScriptedChannel, called, report_of, tell
from tests.support.orders.signals import alerts_of, contacts, reviews_of
from tests.support.orders.signals import receive_signal as signal
from tests.support.probe import Probe

CANCELLED = "不用了，已经修好了，取消订单吧"
CHANGED_MIND = "等等，我说错了，先别取消，还是要修的"
ENOUGH = "别再给我打电话了"


@pytest.fixture
def channel() -> ScriptedChannel:
    return ScriptedChannel()


@pytest.fixture
def house(database_url: str, channel: ScriptedChannel) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url, gateway=channel)
    yield built
    built.close()


def said(house: InProcessFleet, key: str, words: str, event: str = "1") -> ReportOutcome:
    """The customer says something in the contact with this key."""
    (heard,) = tell(house, replace(report_of(key, event=event), transcript=words))
    house.run()
    return heard


def about_to_be_cancelled(house: InProcessFleet, channel: ScriptedChannel) -> tuple[str, str]:
    """An order whose cancellation waits out its undo window: its id and the contact's key."""
    task_id, key = called(house, channel)
    said(house, key, CANCELLED)
    assert house.order(task_id).status is State.CLASSIFIED
    return task_id, key


def cancellations(house: InProcessFleet) -> int:
    found = Probe(house.database).value("SELECT count(*) FROM cancellations")
    return int(found)


def is_barred(house: InProcessFleet) -> bool:
    return bool(Probe(house.database).value("SELECT count(*) FROM do_not_call"))


def test_a_further_word_takes_a_waiting_cancellation_back_and_a_person_decides(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    task_id, key = about_to_be_cancelled(house, channel)
    assert said(house, key, CHANGED_MIND, "2") is ReportOutcome.KEPT
    house.run_to_the_end(3)
    assert cancellations(house) == 0
    assert reviews_of(house, task_id) == [("undo_requested", "open")]
    assert [contact.transcript for contact in contacts(house, task_id, "inbound")] == [CHANGED_MIND]
    assert "customer_called" in alerts_of(house, task_id)


def test_the_same_word_again_takes_nothing_back(house: InProcessFleet, channel: ScriptedChannel) -> None:
    task_id, key = about_to_be_cancelled(house, channel)
    assert said(house, key, CANCELLED, "2") is ReportOutcome.LATE
    house.run_to_the_end(3)
    assert house.order(task_id).finish_reason == "cancelled_by_customer"


def test_a_call_of_the_customer_takes_a_waiting_cancellation_back_too(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    task_id, _ = about_to_be_cancelled(house, channel)
    receipt = signal(house, task_id, CustomerCalled(words=CHANGED_MIND))
    assert "taken back" in receipt.effect
    assert reviews_of(house, task_id) == [("undo_requested", "open")]


def test_a_word_after_the_order_is_closed_reaches_a_person(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    task_id, key = about_to_be_cancelled(house, channel)
    house.run_to_the_end(3)
    assert said(house, key, CHANGED_MIND, "2") is ReportOutcome.KEPT
    assert house.order(task_id).status is State.CLOSED
    assert "customer_called" in alerts_of(house, task_id)


def test_who_wants_no_more_contact_is_barred_at_once_whatever_the_order_waits_for(
    house: InProcessFleet, channel: ScriptedChannel
) -> None:
    _, key = about_to_be_cancelled(house, channel)
    assert not is_barred(house)
    said(house, key, ENOUGH, "2")
    assert is_barred(house)
