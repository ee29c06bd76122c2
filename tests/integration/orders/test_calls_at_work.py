"""A customer who calls while something is at work in their order is heard, and never called twice (SPEC.md §8)."""

import time
from collections.abc import Iterator
from threading import Event, Thread
from typing import Final, Self

import pytest

from schemas.orders.contact import ContactResult
from schemas.orders.signals import CustomerCalled
from statemachine.orders.states import State
from statemachine.workflow.states import RunState
from storage.engine.clock import BusinessClock
from storage.engine.runs import Runs
from tasks.orders.inbound.reports import take_reports
from tasks.orders.inbound.signals import ReceiptResult
from tests.support.factories import CANCEL, PARTS_MISSING, READY
from tests.support.in_process_fleet import InProcessFleet
from tests.support.orders.signals import (
    READY_CALL,
    HeldChannel,
    alerts_of,
    callback_of,
    contacts,
    only_words_are_kept,
    receive_signal,
    taken_in,
)
from tests.support.probe import Probe

DEADLINE_SECONDS: Final = 180


@pytest.fixture
def line() -> HeldChannel:
    return HeldChannel()


@pytest.fixture
def calling(database_url: str, line: HeldChannel) -> Iterator[InProcessFleet]:
    """A house whose contacts are accepted and wait for reports."""
    built = InProcessFleet.build(database_url, gateway=line)
    yield built
    built.close()


class Placing:
    """A worker that is placing a contact, and places it when it is let go."""

    def __init__(self, house: InProcessFleet, line: HeldChannel) -> None:
        self._line = line
        line.free.clear()
        self._worker = Thread(target=house.run)

    def __enter__(self) -> Self:
        self._worker.start()
        assert self._line.placing.wait(180)
        return self

    def __exit__(self, *_: object) -> None:
        self._line.free.set()
        self._worker.join(180)
        assert not self._worker.is_alive()


def test_a_contact_that_is_being_placed_is_not_cut_off_and_nothing_is_written_yet(
    calling: InProcessFleet, line: HeldChannel
) -> None:
    task_id = taken_in(calling)
    with Placing(calling, line):
        assert (
            receive_signal(calling, task_id, READY_CALL, signal_id="one", retries_soon=True).result
            is ReceiptResult.BUSY
        )
        assert contacts(calling, task_id, "inbound") == []
    assert [s["state"] for s in calling.steps(task_id)][-1] == "parked"
    assert (
        receive_signal(calling, task_id, READY_CALL, signal_id="one", retries_soon=True).result
        is ReceiptResult.APPLIED
    )


def test_words_that_cannot_wait_longer_are_kept_and_count_when_they_are_sent_again(
    calling: InProcessFleet, line: HeldChannel
) -> None:
    task_id = taken_in(calling)
    with Placing(calling, line):
        kept = [receive_signal(calling, task_id, READY_CALL, signal_id="one").result for _ in range(2)]
        assert kept == [ReceiptResult.KEPT, ReceiptResult.KEPT]
    assert only_words_are_kept(calling, task_id)
    assert alerts_of(calling, task_id) == ["customer_called"]
    assert receive_signal(calling, task_id, READY_CALL, signal_id="one").result is ReceiptResult.APPLIED
    assert receive_signal(calling, task_id, READY_CALL, signal_id="one").result is ReceiptResult.REPEATED
    calling.run()
    assert calling.order(task_id).finish_reason == "visit_arranged"
    assert only_words_are_kept(calling, task_id)
    assert alerts_of(calling, task_id) == ["customer_called"]
    assert len(line.keys) == 1


def test_words_that_were_kept_are_not_lost_when_the_order_has_gone_on(
    calling: InProcessFleet, line: HeldChannel
) -> None:
    task_id = taken_in(calling)
    with Placing(calling, line):
        receive_signal(calling, task_id, READY_CALL, signal_id="one")
    take_reports(
        calling.engine,
        calling.context,
        "simulator",
        [callback_of(line.keys[0], ContactResult.ANSWERED, CANCEL)],
    )
    calling.run()
    assert receive_signal(calling, task_id, READY_CALL, signal_id="one").result is ReceiptResult.NOTED
    assert calling.order(task_id).status is State.CLASSIFIED
    assert only_words_are_kept(calling, task_id)


def test_an_order_that_ends_at_the_same_moment_takes_no_call(calling: InProcessFleet) -> None:
    task_id = taken_in(calling)
    taken: list[ReceiptResult] = []
    caller = Thread(
        target=lambda: taken.append(receive_signal(calling, task_id, READY_CALL, retries_soon=True).result)
    )
    with calling.engine.transaction() as transaction:
        run_id = calling.order(task_id).run_id
        Runs(transaction.work).lock([run_id])
        caller.start()
        until = time.monotonic() + DEADLINE_SECONDS
        while not someone_waits(calling):
            assert time.monotonic() < until
        transaction.end([run_id], RunState.CANCELLED, agent_id="operator", reason="upstream")
    caller.join(DEADLINE_SECONDS)
    assert taken == [ReceiptResult.REFUSED]
    assert contacts(calling, task_id, "inbound") == []


def someone_waits(house: InProcessFleet) -> bool:
    """Whether a transaction waits for another's lock."""
    waiting = Probe(house.database).value(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(waiting)


def insist(house: InProcessFleet, task_id: str, line: HeldChannel) -> list[ReceiptResult]:
    """Send one signal as the door does, until something became of it; a line that is in the way is let go."""
    until = time.monotonic() + DEADLINE_SECONDS
    taken: list[ReceiptResult] = []
    while time.monotonic() < until:
        taken.append(receive_signal(house, task_id, READY_CALL, signal_id="one", retries_soon=True).result)
        if taken[-1] is not ReceiptResult.BUSY:
            return taken
        line.free.set()
    raise AssertionError(f"{task_id} was at work all the time")


def test_whoever_comes_first_the_worker_the_tick_or_the_customer_nobody_is_called_twice(
    calling: InProcessFleet, line: HeldChannel
) -> None:
    waiting = [taken_in(calling) for _ in range(8)]
    for task_id in waiting:
        receive_signal(calling, task_id, CustomerCalled(words=PARTS_MISSING))
    calling.run()
    assert all(calling.order(task_id).status is State.WAITING_FOLLOWUP for task_id in waiting)
    agreed = [calling.order(task_id).next_contact_time for task_id in waiting]
    with calling.database.transaction() as work:
        BusinessClock(work).set(max(moment for moment in agreed if moment))
    new = [taken_in(calling) for _ in range(8)]
    line.free.clear()
    stop = Event()

    def work_on() -> None:
        while not stop.is_set():
            calling.run()

    worker = Thread(target=work_on)
    worker.start()
    assert line.placing.wait(180)
    orders = [task_id for pair in zip(waiting, new, strict=True) for task_id in pair]
    taken = [insist(calling, task_id, line) for task_id in orders]
    stop.set()
    worker.join(DEADLINE_SECONDS)
    assert not worker.is_alive()
    calling.run()
    assert [tries[-1] for tries in taken] == [ReceiptResult.APPLIED] * len(orders)
    assert any(tries[0] is ReceiptResult.BUSY for tries in taken)
    assert len(set(line.keys)) == len(line.keys)
    for task_id in orders:
        assert calling.order(task_id).finish_reason == "visit_arranged"
        assert [c.transcript for c in contacts(calling, task_id, "inbound")][-1] == READY
        assert len(contacts(calling, task_id, "outbound")) <= 1
