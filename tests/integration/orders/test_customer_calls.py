"""Customers who turn to us are heard: at once where the order can take an answer, and never lost (SPEC.md §8)."""

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.orders.contact import ContactResult
from schemas.orders.signals import CustomerCalled
from statemachine.orders.states import State
from storage.orders.contacts.contacts import Contacts
from storage.orders.figures.figures import Figures
from storage.orders.order_view import OrderView
from tasks.orders.inbound.reports import ReportOutcome, take_reports
from tasks.orders.inbound.signals import ReceiptResult
from tasks.orders.people.intervention import pause, resume
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import (
    READY_CALL,
    HeldChannel,
    alerts_of,
    callback_of,
    contacts,
    everything_shown,
    only_words_are_kept,
    order_run,
    receive_signal,
    reviews_of,
    taken_in,
)

UNCLEAR = "先这么着"


@pytest.fixture
def line() -> HeldChannel:
    return HeldChannel()


@pytest.fixture
def calling(database_url: str, line: HeldChannel) -> Iterator[InProcessFleet]:
    """A house whose contacts are accepted and wait for reports."""
    built = InProcessFleet.build(database_url, gateway=line)
    yield built
    built.close()


def test_a_customer_who_calls_before_the_first_contact_is_not_called(
    calling: InProcessFleet, line: HeldChannel
) -> None:
    task_id = taken_in(calling)
    receipt = receive_signal(calling, task_id, READY_CALL)
    assert (receipt.result, receipt.status) == (ReceiptResult.APPLIED, "responded")
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"
    assert line.keys == []


def test_a_customer_who_calls_while_a_call_waits_for_its_result_is_heard_at_once(
    calling: InProcessFleet, line: HeldChannel
) -> None:
    task_id = order_run(calling)
    assert receive_signal(calling, task_id, READY_CALL).result is ReceiptResult.APPLIED
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"
    assert len(line.keys) == 1


def test_the_result_of_the_dropped_call_is_kept_as_evidence_alone(
    calling: InProcessFleet, line: HeldChannel
) -> None:
    task_id = order_run(calling)
    receive_signal(calling, task_id, CustomerCalled(words=CANCEL))
    calling.run()
    before = calling.events(task_id)
    heard = take_reports(
        calling.engine, calling.context, "simulator", [callback_of(line.keys[0], ContactResult.NO_ANSWER)]
    )
    assert heard == [ReportOutcome.LATE]
    assert calling.events(task_id) == before
    assert [c.contact_result for c in contacts(calling, task_id, "outbound")] == ["no_answer"]


def test_a_customer_who_calls_back_after_a_vain_attempt_is_heard(
    calling: InProcessFleet, line: HeldChannel
) -> None:
    task_id = order_run(calling)
    take_reports(
        calling.engine, calling.context, "simulator", [callback_of(line.keys[0], ContactResult.NO_ANSWER)]
    )
    assert calling.order(task_id).status is State.NO_RESPONSE
    assert receive_signal(calling, task_id, READY_CALL).status == "responded"
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"
    assert len(line.keys) == 1


def test_a_customer_who_calls_before_the_follow_up_is_heard(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(PARTS_MISSING))
    assert house.order(task_id).status is State.WAITING_FOLLOWUP
    assert receive_signal(house, task_id, READY_CALL).result is ReceiptResult.APPLIED
    house.run()
    order = house.order(task_id)
    assert (order.finish_reason, order.round) == ("visit_arranged", 1)
    with house.database.transaction() as work:
        moves = OrderView(work).transitions(task_id)
    (call,) = contacts(house, task_id, "inbound")
    (answer,) = [move for move in moves if move["from_state"] == "waiting_followup"]
    assert (answer["event"], answer["metadata"]["contact_id"]) == ("user.responded", call.contact_id)


def test_what_a_customer_says_by_themselves_is_no_attempt(calling: InProcessFleet, line: HeldChannel) -> None:
    task_id = order_run(calling)
    before = calling.order(task_id)
    receive_signal(calling, task_id, CustomerCalled(words=UNCLEAR, channel="im"))
    calling.run()
    receive_signal(calling, task_id, CustomerCalled(words=READY))
    order = calling.order(task_id)
    assert (order.contact_count, order.contacts_total) == (before.contact_count, before.contacts_total)
    with calling.database.transaction() as work:
        history = Contacts(work).history([task_id])[task_id]
        latest = Contacts(work).latest([task_id])[task_id]
        counted = sum(channel.attempts for channel in Figures(work).counters().contacts())
    assert len(history) == 1
    assert latest.key == line.keys[0]
    assert counted == 1
    calls = contacts(calling, task_id, "inbound")
    assert [(call.round, call.contact_no, call.contact_method) for call in calls] == [
        (1, -1, "im"),
        (1, -2, "phone"),
    ]


def test_no_provider_can_report_on_what_a_customer_said_by_themselves(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(PARTS_MISSING))
    receive_signal(house, task_id, CustomerCalled(words=PARTS_MISSING))
    house.run()
    (call,) = contacts(house, task_id, "inbound")
    assert take_reports(
        house.engine, house.context, "simulator", [callback_of(call.key, ContactResult.ANSWERED, READY)]
    ) == [ReportOutcome.UNKNOWN_KEY]


@pytest.mark.parametrize(
    ("script", "state"),
    [(answered(UNCLEAR), "responded"), (answered(CANCEL), "classified")],
    ids=["in review", "in its undo window"],
)
def test_where_an_answer_is_being_dealt_with_a_person_is_called(
    house: InProcessFleet, script: dict[str, object], state: str
) -> None:
    task_id = order_run(house, script)
    before = house.events(task_id)
    receipt = receive_signal(house, task_id, READY_CALL)
    assert (receipt.result, receipt.status) == (ReceiptResult.NOTED, state)
    assert house.events(task_id) == before
    assert alerts_of(house, task_id).count("customer_called") == 1
    assert only_words_are_kept(house, task_id)


@pytest.mark.parametrize(
    ("metadata", "state"),
    [({"phone": None}, State.PENDING), ({"simulation": [{"result": "nonsense"}]}, State.CONTACTING)],
    ids=["without a number", "refused by the channel"],
)
def test_a_review_stays_open_when_the_customer_calls(
    house: InProcessFleet, metadata: dict[str, Any], state: State
) -> None:
    task_id = order_run(house, metadata=metadata)
    assert receive_signal(house, task_id, READY_CALL).result is ReceiptResult.NOTED
    assert house.order(task_id).status is state
    assert [state for _, state in reviews_of(house, task_id)] == ["open"]
    assert only_words_are_kept(house, task_id)


def test_a_closed_order_takes_no_call(house: InProcessFleet) -> None:
    task_id = order_run(house, answered(READY))
    assert receive_signal(house, task_id, READY_CALL).result is ReceiptResult.REFUSED
    assert contacts(house, task_id, "inbound") == []


def test_a_call_to_a_paused_order_is_understood_once_it_goes_on(
    calling: InProcessFleet, line: HeldChannel
) -> None:
    task_id = taken_in(calling)
    pause(calling.engine, task_id, by="operator")
    assert receive_signal(calling, task_id, READY_CALL).status == "responded"
    calling.run()
    assert calling.order(task_id).status is State.RESPONDED
    resume(calling.engine, task_id, by="operator")
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"


def test_what_a_customer_said_stands_in_no_event_and_no_audit_line(house: InProcessFleet) -> None:
    words = "我的新号码是13912345678，配件到了可以上门"
    orders = [taken_in(house), order_run(house, answered(CANCEL))]
    for task_id in orders:
        receive_signal(house, task_id, CustomerCalled(words=words))
    shown = everything_shown(house)
    assert "customer_called" in shown
    assert words not in shown
    assert "13912345678" not in shown
