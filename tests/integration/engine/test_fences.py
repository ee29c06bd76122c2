"""What was found due or lost is looked at again under its lock: it may have been taken or renewed meanwhile."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from engine.outcomes import Failed, Outcome, Park
from runtime.clock import Clock
from storage.engine.steps import StepRow
from tests.integration.engine.test_deliveries import claim_and_die
from tests.support.engine.general_runs import ScriptedActions, begin, definition
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
POISON = Failed(code="poison", message="taken out")


def test_after_an_outage_holders_are_given_a_lease_of_time_to_renew(patient: InProcessFleet) -> None:
    patient.tick.sweep()
    begin(patient, "parallel_branches")
    claim_and_die(patient)
    probe = Probe(patient.database)
    probe.write("UPDATE leases SET expires_at = clock_timestamp() - interval '1 second'")
    probe.write("UPDATE pulses SET at = at - interval '1 hour'")
    swept = patient.tick.sweep()
    assert swept is not None
    assert swept.rescued == 0, "the tick was away: holders could not renew either"
    probe.write("UPDATE pulses SET steady_since = steady_since - interval '1 hour'")
    swept = patient.tick.sweep()
    assert swept is not None
    assert swept.rescued == 1


def test_a_tick_that_was_never_away_rescues_at_once(patient: InProcessFleet) -> None:
    patient.tick.sweep()
    begin(patient, "parallel_branches")
    claim_and_die(patient)
    Probe(patient.database).write("UPDATE leases SET expires_at = clock_timestamp() - interval '1 second'")
    swept = patient.tick.sweep()
    assert swept is not None
    assert swept.rescued == 1


def test_a_second_tick_does_not_end_a_wait_that_was_set_anew(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    step_id = park(house, bench)
    with house.engine.transaction() as transaction:
        assert transaction.end_waits([step_id]) == 1
    ended = Probe(house.database).value("SELECT state FROM steps WHERE step_id = %s", step_id)
    Probe(house.database).write(
        "UPDATE steps SET state = 'parked', finished_at = NULL, due_clock = 'database', "
        "due_at = clock_timestamp() + interval '1 hour' WHERE step_id = %s",
        step_id,
    )
    with house.engine.transaction() as transaction:
        assert transaction.end_waits([step_id]) == 0
    assert ended != "parked"
    assert Probe(house.database).value("SELECT state FROM steps WHERE step_id = %s", step_id) == "parked"


@pytest.mark.parametrize("state", ["ready", "published", "leased", "scheduled"])
def test_a_step_that_is_under_way_again_is_not_answered_by_the_deadline_of_its_wait(
    house: InProcessFleet, bench: ScriptedActions, state: str
) -> None:
    step_id = park(house, bench)
    probe = Probe(house.database)
    probe.write("UPDATE steps SET state = %s WHERE step_id = %s", state, step_id)
    with house.engine.transaction() as transaction:
        assert transaction.end_waits([step_id]) == 0
    row = probe.row("SELECT state, early_signals FROM steps WHERE step_id = %s", step_id)
    assert (row.state, row.early_signals) == (state, None)


def test_a_row_whose_holder_came_back_is_not_taken_out_as_poison(house: InProcessFleet) -> None:
    begin(house, "parallel_branches")
    (step,) = claim_and_die(house).steps
    with house.engine.transaction() as transaction:
        assert transaction.fail([step.step_id], POISON, lost=True) == 0
    Probe(house.database).write("UPDATE leases SET expires_at = clock_timestamp() - interval '1 second'")
    with house.engine.transaction() as transaction:
        assert transaction.fail([step.step_id], POISON, lost=True) == 1


def park(house: InProcessFleet, bench: ScriptedActions) -> int:
    """A step that is parked, past its deadline."""

    def wait(_: StepRow) -> Outcome:
        return Park(until=LONG_AGO, clock=Clock.DATABASE, reason="the world has to answer")

    bench.answers["first"] = wait
    (run_id,) = begin(house, "parallel_branches")
    house.execute(house.wire.messages.popleft())
    found: int = Probe(house.database).value("SELECT step_id FROM steps WHERE run_id = %s", run_id)
    return found


@pytest.fixture
def patient(database_url: str, bench: ScriptedActions) -> Iterator[InProcessFleet]:
    """A fleet whose leases are as long as an installation's."""
    built = InProcessFleet.build(
        database_url, actions=bench.actions(), workflows=[definition("parallel_branches")]
    )
    yield built
    built.close()
