"""A fault at each point of a step's way through the engine: its run ends as if there had been none."""

from collections.abc import Iterator
from itertools import product

import pytest

from engine.limits import Limits
from statemachine.workflow.states import RunState
from tests.support.engine.general_runs import state_of
from tests.support.faults.fleet import FaultyFleet
from tests.support.faults.injector import Fault, Kind, Point, When
from tests.support.faults.relay import NODES, arrive, hand_over, moves, relay_fleet
from tests.support.in_process_fleet import InProcessFleet

PARCEL = "P"


@pytest.fixture
def fleet(database_url: str) -> Iterator[FaultyFleet]:
    with relay_fleet(database_url, Limits()) as opened:
        yield opened


def ended_right(fleet: FaultyFleet, run_id: str) -> bool:
    """Whether the run has completed, with each step recorded once and in the order of the definition."""
    fleet.to_the_end()
    happened = moves(fleet.sound, PARCEL)
    assert sorted(happened) == sorted(NODES), happened
    assert (happened[0], happened[-1]) == ("fetch", "deliver")
    return state_of(fleet.sound, run_id) is RunState.COMPLETED


def carry(process: InProcessFleet) -> None:
    """Do what the first message asks for."""
    process.execute(process.wire.messages.popleft())


def sweep(process: InProcessFleet) -> None:
    process.tick.sweep()


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.KILL], ids=str)
@pytest.mark.parametrize(
    ("point", "when"), list(product([Point.CLAIM, Point.RECORD, Point.PUBLISH], When)), ids=str
)
def test_a_fault_on_the_way_of_a_step_changes_nothing_of_its_end(
    fleet: FaultyFleet, point: Point, when: When, kind: Kind
) -> None:
    run_id = arrive(fleet.sound, PARCEL)
    fleet.under((Fault(point, when, kind),), carry)
    assert [fault.point for fault in fleet.struck] == [point]
    assert ended_right(fleet, run_id)


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.KILL], ids=str)
@pytest.mark.parametrize("when", When, ids=str)
@pytest.mark.parametrize("transaction", [0, 1, 2])
def test_a_fault_in_a_tick_changes_nothing_of_what_it_found(
    fleet: FaultyFleet, transaction: int, when: When, kind: Kind
) -> None:
    """The transactions: what is due and lost; the end of a wait; the first queue that is filled."""
    run_id = arrive(fleet.sound, PARCEL)
    fleet.sound.run()
    fleet.sound.leap()
    fleet.make_due()
    fleet.under((Fault(Point.TICK, when, kind, transaction),), sweep)
    assert len(fleet.struck) == 1
    assert ended_right(fleet, run_id)


def test_a_worker_whose_claim_was_committed_and_whose_answer_was_lost_works_its_rows_at_once(
    fleet: FaultyFleet,
) -> None:
    arrive(fleet.sound, PARCEL)
    assert fleet.under((Fault(Point.CLAIM, When.AFTER, Kind.ERROR),), carry)
    assert moves(fleet.sound, PARCEL) == ["fetch"]


def test_a_record_that_was_committed_and_whose_answer_was_lost_is_not_written_again(
    fleet: FaultyFleet,
) -> None:
    run_id = arrive(fleet.sound, PARCEL)
    assert fleet.under((Fault(Point.RECORD, When.AFTER, Kind.ERROR),), carry)
    assert moves(fleet.sound, PARCEL) == ["fetch"]
    assert ended_right(fleet, run_id)


def test_a_killed_process_writes_nothing_more_and_keeps_its_lease_until_it_runs_out(
    fleet: FaultyFleet,
) -> None:
    arrive(fleet.sound, PARCEL)
    assert not fleet.under((Fault(Point.CLAIM, When.AFTER, Kind.KILL),), carry)
    fleet.sound.run()
    assert moves(fleet.sound, PARCEL) == []
    fleet.rescue()
    fleet.sound.run()
    assert moves(fleet.sound, PARCEL)[0] == "fetch"


def test_a_worker_whose_rows_were_rescued_while_it_was_slow_records_nothing(fleet: FaultyFleet) -> None:
    run_id = arrive(fleet.sound, PARCEL)

    def others_take_over() -> None:
        fleet.rescue()
        fleet.sound.run()

    fleet.under((Fault(Point.CLAIM, When.AFTER, Kind.TURN, turn=others_take_over),), carry)
    assert moves(fleet.sound, PARCEL).count("fetch") == 1
    assert ended_right(fleet, run_id)


def test_a_renewal_whose_answer_was_lost_leaves_the_lease_with_its_holder(fleet: FaultyFleet) -> None:
    arrive(fleet.sound, PARCEL)

    def carry_and_renew(process: InProcessFleet) -> None:
        message, engine = process.wire.messages.popleft(), process.engine
        action = engine.registry.get(message.action)
        batch = engine.claim(action, message.keys, "LEASE1")
        assert batch is not None
        outcomes = engine.work(action, batch)
        engine._keeper._renew([batch.lease_id])
        assert not batch.lease_lost()
        engine.record(batch, outcomes)

    assert fleet.under((Fault(Point.RENEW, When.AFTER, Kind.ERROR),), carry_and_renew)
    assert len(fleet.struck) == 1
    assert moves(fleet.sound, PARCEL) == ["fetch"]


def test_a_wait_that_ends_while_a_tick_ends_it_too_ends_once(fleet: FaultyFleet) -> None:
    run_id = arrive(fleet.sound, PARCEL)
    fleet.sound.run()
    fleet.sound.leap()
    faults = fleet.beside(Point.TICK, lambda: hand_over(fleet.sound, run_id), passed=1)
    assert fleet.under(faults, sweep)
    assert len(fleet.struck) == 2
    assert ended_right(fleet, run_id)
