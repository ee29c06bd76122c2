"""Everything said several times, by too many or by one whose watch is wrong: it is done once."""

import pytest

from engine.publisher import Message
from storage.engine.steps import StepKey
from tests.support.agents import QUEUES
from tests.support.fleet.running_fleet import RunningFleet
from tests.support.fleet.scripted_orders import orders
from tests.support.probe import Probe
from tests.support.waiting import wait_until

_OFF = ("-m", "bench.chaos.faults.shifted_clock")
_WAITING = (
    "SELECT queue, action, step_id, delivery, subject_id FROM steps "
    "WHERE state IN ('ready', 'published', 'leased') AND queue IS NOT NULL AND kind = 'action'"
)


def test_a_message_delivered_five_times_is_obeyed_once(fleet: RunningFleet) -> None:
    batch = orders(50, pause=0.5)
    fleet.accept(batch)
    seen: set[StepKey] = set()

    def repeat() -> bool:
        rows = Probe(fleet.database).rows(_WAITING)
        keys = {StepKey(row.step_id, row.delivery): row for row in rows}
        fresh = [
            Message(row.queue, row.action, (key,), (row.subject_id,))
            for key, row in keys.items()
            if key not in seen
        ]
        fleet.parts.publisher.publish(fresh * 5)
        seen.update(keys)
        return len(seen) > 100

    wait_until(repeat, "a hundred messages were repeated", seconds=180)
    fleet.carry_to_the_end(batch)


def test_two_beats_wake_nothing_twice(fleet: RunningFleet) -> None:
    with fleet.beside("beat", "-m", "workers", "beat"):
        batch = orders(50, pause=0.5)
        fleet.accept(batch)
        fleet.carry_to_the_end(batch)


def test_workers_whose_clocks_are_hours_off_do_as_all_others(fleet: RunningFleet) -> None:
    with (
        fleet.beside("worker-contact", *_OFF, "2", "contact") as contact,
        fleet.beside("worker-triage", *_OFF, "-2", "triage") as triage,
    ):
        batch = orders(50, pause=0.5)
        fleet.accept(batch)
        fleet.carry_to_the_end(batch)
        assert [b'"step worked"' in log.read_bytes() for log in (contact, triage)] == [True, True]


@pytest.mark.parametrize("hours", ["2", "-2"], ids=["ahead", "behind"])
def test_a_tick_whose_clock_is_hours_off_wakes_what_is_due(fleet: RunningFleet, hours: str) -> None:
    with fleet.beside("tick", *_OFF, hours, "tick"):
        right = fleet.process("tick")
        # All calls are for the one that is off while the other is away.
        right.suspend()
        try:
            batch = orders(20)
            fleet.accept(batch)
            fleet.carry_to_the_end(batch)
        finally:
            right.resume()


def test_messages_that_were_cut_short_end_no_worker(fleet: RunningFleet) -> None:
    names = ("tick", *(f"worker-{agent}" for agent in QUEUES))
    before = {name: fleet.process(name).pid for name in names}
    for queue in ("tick", *QUEUES):
        for message in ('{"body": "W1tbMSwgMV1dLCB7fSwg', "{}"):
            fleet.broker.lpush(queue, message)
    batch = orders(10)
    fleet.accept(batch)
    fleet.carry_to_the_end(batch)
    assert {name: fleet.process(name).pid for name in names} == before
