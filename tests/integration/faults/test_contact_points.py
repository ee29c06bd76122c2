"""A fault at each point of a contact's way: the order ends as if there had been none, after one call."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from schemas.orders.contact import ContactResult
from statemachine.workflow.states import RunState
from storage.orders.contacts.contacts import Contacts
from tests.support.factories import READY, answered, submission
from tests.support.faults.fleet import FaultyFleet
from tests.support.faults.injector import Fault, Kind, Point, When
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.ledger_channel import LedgerChannel
from tests.support.orders.scripted_channel import tell
from tools.channels.contract import ContactReport

CALL = (
    (Point.CLAIM, When.BEFORE),
    (Point.CLAIM, When.AFTER),
    (Point.INTENT, When.BEFORE),
    (Point.INTENT, When.AFTER),
    (Point.SEND, When.BEFORE),
    (Point.SEND, When.AFTER),
    (Point.RECORD, When.BEFORE),
    (Point.RECORD, When.AFTER),
)
"""What a worker passes while it makes a call."""


@pytest.fixture
def channel() -> LedgerChannel:
    return LedgerChannel()


@pytest.fixture
def fleet(database_url: str, channel: LedgerChannel) -> Iterator[FaultyFleet]:
    opened = FaultyFleet(database_url, channel)
    yield opened
    opened.close()


def accepted(fleet: FaultyFleet, delay: int) -> str:
    """An order whose customer agrees in the first call, in the call's own answer or later by a callback; its id."""
    order = submission(answered(READY, delay_seconds=delay))
    fleet.sound.accept(order)
    return order.body.task_id


def carry(process: InProcessFleet) -> None:
    """Do what the first message asks for."""
    process.execute(process.wire.messages.popleft())


def end_calls(fleet: FaultyFleet, channel: LedgerChannel) -> None:
    """Let every call that is under way be over, and be reported."""
    for key in list(channel.open):
        tell(fleet.sound, channel.end(key))


def ended_after_one_call(fleet: FaultyFleet, channel: LedgerChannel, task_id: str) -> bool:
    """Whether the visit is arranged after one call, of which there is one row, once everybody has done their part."""
    fleet.to_the_end(lambda: end_calls(fleet, channel))
    with fleet.sound.database.transaction() as work:
        contacts = Contacts(work).of_task(task_id)
    assert channel.reached == [contact.key for contact in contacts]
    assert len(contacts) == 1
    return fleet.sound.order(task_id).finish_reason == "visit_arranged"


@pytest.mark.parametrize("delay", [0, 5], ids=["answered in the call", "answered by a callback"])
@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.KILL], ids=str)
@pytest.mark.parametrize(("point", "when"), CALL, ids=str)
def test_a_fault_on_the_way_of_a_call_neither_loses_it_nor_repeats_it(
    fleet: FaultyFleet, channel: LedgerChannel, point: Point, when: When, kind: Kind, delay: int
) -> None:
    task_id = accepted(fleet, delay)
    fleet.under((Fault(point, when, kind),), carry)
    assert [fault.point for fault in fleet.struck] == [point]
    assert ended_after_one_call(fleet, channel, task_id)


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.KILL], ids=str)
@pytest.mark.parametrize("when", When, ids=str)
def test_a_worker_that_ends_before_or_after_it_publishes_leaves_the_next_step_to_the_tick(
    fleet: FaultyFleet, channel: LedgerChannel, when: When, kind: Kind
) -> None:
    task_id = accepted(fleet, 0)
    fleet.under((Fault(Point.PUBLISH, when, kind),), carry)
    assert len(fleet.struck) == 1
    assert ended_after_one_call(fleet, channel, task_id)


def called(fleet: FaultyFleet, channel: LedgerChannel) -> tuple[str, ContactReport]:
    """An order whose call is over and not yet reported: its id, and what will be reported."""
    task_id = accepted(fleet, 5)
    fleet.sound.run()
    (key,) = channel.open
    return task_id, channel.end(key)


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.KILL], ids=str)
@pytest.mark.parametrize("when", When, ids=str)
def test_a_callback_whose_answer_was_lost_is_applied_once_when_it_comes_again(
    fleet: FaultyFleet, channel: LedgerChannel, when: When, kind: Kind
) -> None:
    task_id, report = called(fleet, channel)
    assert not fleet.under((Fault(Point.CALLBACK, when, kind),), lambda process: tell(process, report))
    tell(fleet.sound, report)
    assert ended_after_one_call(fleet, channel, task_id)
    assert fleet.sound.events(task_id).count("user.responded") == 1


def test_a_callback_that_comes_to_two_processes_at_once_is_applied_once(
    fleet: FaultyFleet, channel: LedgerChannel
) -> None:
    task_id, report = called(fleet, channel)
    faults = fleet.beside(Point.CALLBACK, lambda: tell(fleet.sound, report))
    assert fleet.under(faults, lambda process: tell(process, report))
    assert len(fleet.struck) == 2
    assert ended_after_one_call(fleet, channel, task_id)
    assert fleet.sound.events(task_id).count("user.responded") == 1


def test_a_callback_that_comes_while_the_call_is_being_recorded_is_not_lost(
    fleet: FaultyFleet, channel: LedgerChannel
) -> None:
    task_id = accepted(fleet, 5)
    faults = fleet.beside(Point.RECORD, lambda: end_calls(fleet, channel))
    assert fleet.under(faults, carry)
    assert len(fleet.struck) == 2
    assert ended_after_one_call(fleet, channel, task_id)


def test_a_worker_that_was_rescued_between_its_intent_and_its_call_does_not_call_as_well(
    fleet: FaultyFleet, channel: LedgerChannel
) -> None:
    task_id = accepted(fleet, 0)

    def others_take_over() -> None:
        fleet.rescue()
        fleet.sound.run()

    process = fleet.process(0)

    def renewal_finds_the_lease_lost() -> None:
        others_take_over()
        process.engine._keeper._renew(sorted(process.engine._keeper._held))

    turn = Fault(Point.INTENT, When.AFTER, Kind.TURN, turn=renewal_finds_the_lease_lost)
    assert fleet.under((turn,), carry)
    assert ended_after_one_call(fleet, channel, task_id)


def test_a_cancel_between_the_intent_and_its_end_leaves_the_call_as_evidence(
    fleet: FaultyFleet, channel: LedgerChannel
) -> None:
    task_id = accepted(fleet, 0)

    def cancel() -> None:
        with fleet.sound.engine.transaction() as transaction:
            run_id = fleet.sound.order(task_id).run_id
            transaction.end([run_id], RunState.CANCELLED, agent_id="operator", reason="upstream")

    assert fleet.under((Fault(Point.SEND, When.AFTER, Kind.TURN, turn=cancel),), carry)
    fleet.sound.run()
    with fleet.sound.database.transaction() as work:
        (contact,) = Contacts(work).of_task(task_id)
    assert channel.reached == [contact.key]
    assert (contact.contact_result, contact.transcript) == (ContactResult.ANSWERED, READY)
    assert fleet.sound.order(task_id).finish_reason == "cancelled"


def test_an_order_whose_acceptance_was_committed_and_whose_answer_was_lost_is_there_once_when_sent_again(
    fleet: FaultyFleet, channel: LedgerChannel
) -> None:
    order = submission(answered(READY))
    assert not fleet.under((Fault(Point.ACCEPT, When.AFTER, Kind.ERROR),), lambda p: p.accept(order))
    fleet.sound.accept(replace(order))
    assert ended_after_one_call(fleet, channel, order.body.task_id)
