"""A state machine of Hypothesis drives runs of the toy product through faults, with real commits.

The suite runs a few fixed examples. By hand, as many random ones as are asked for:
`UNPEND_FAULT_EXAMPLES=2000 .venv/bin/pytest -n 0 -q tests/integration/faults/test_engine_machine.py`.
"""

from itertools import count

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule, run_state_machine_as_test

from statemachine.workflow.states import RunState
from tests.support.faults.injector import Point
from tests.support.faults.machine import LONG, NTH, PROCESSES, FaultyMachine, Plan, perhaps
from tests.support.faults.machine import settings_of as settings
from tests.support.faults.relay import NODES, arrive, hand_over, moves, relay_fleet
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe
from tests.support.servers import Servers

ENDS = (RunState.COMPLETED, RunState.CANCELLED, RunState.FAILED)


class RelayUnderFaults(FaultyMachine):
    """Runs with two branches, a retry, a wait for the world and a join."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = count(1)

    def tell(self, process: InProcessFleet, subject: str) -> None:
        """The branch that waits for the world goes on."""
        hand_over(process, self.runs[subject])

    @initialize(number=st.integers(1, 3))
    def arrive_in_peace(self, number: int) -> None:
        """Some parcels are there from the beginning."""
        for _ in range(number):
            self.arrive(0, [])

    @rule(by=PROCESSES, drawn=perhaps(Point.OTHER, Point.PUBLISH))
    def arrive(self, by: int, drawn: list[Plan]) -> None:
        """A parcel arrives; who brings it comes again without an answer, and finds it there if it was taken."""
        number = next(self.numbers)
        parcel, run_id = f"P{number}", f"exec_{number}"
        taken = self.under(drawn, by, "", lambda process: arrive(process, parcel, run_id))
        if not taken and run_id not in self.states():
            arrive(self.fleet.sound, parcel, run_id)
        self.runs[parcel] = run_id

    @rule(nth=NTH)
    def retry(self, nth: int) -> None:
        """A person lets a run that has failed go on."""
        if self.runs:
            with self.fleet.sound.engine.transaction() as transaction:
                transaction.retry([self.runs[self.subject(nth)]])

    @invariant()
    def runs_and_steps_agree(self) -> None:
        """No run is lost, each counts its open steps, and no step is followed twice."""
        self.check_the_engine()
        assert self.states().keys() == set(self.runs.values())

    @invariant()
    def every_step_is_recorded_once_and_in_order(self) -> None:
        """What a parcel's table says is what its steps say: each that is done, once, and none before its turn."""
        for parcel, run_id in self.runs.items():
            happened = moves(self.fleet.sound, parcel)
            carried = [what for what in happened if what in NODES]
            done = Probe(self.fleet.sound.database).values(
                "SELECT node FROM steps WHERE run_id = %s AND state = 'done'", run_id
            )
            assert sorted(carried) == sorted(done)
            assert len(set(carried)) == len(carried)
            assert not carried or carried[0] == "fetch"
            assert "deliver" not in carried or len(carried) == len(NODES)
            assert [w for w in happened if w not in NODES] == happened[len(carried) :]
            assert len(happened) - len(carried) <= 1

    def teardown(self) -> None:
        """Left alone, every run ends; only what ended its workers again and again has failed."""
        with self.fleet.sound.engine.transaction() as transaction:
            transaction.resume(list(self.runs.values()))
        self.fleet.to_the_end()
        states = self.states()
        self.runs_and_steps_agree()
        self.every_step_is_recorded_once_and_in_order()
        for parcel, run_id in self.runs.items():
            assert states[run_id] in ENDS, (parcel, states[run_id])
            if states[run_id] is RunState.COMPLETED:
                assert sorted(moves(self.fleet.sound, parcel)) == sorted(NODES)
        codes = Probe(self.fleet.sound.database).values(
            "SELECT error->>'code' FROM runs WHERE state = 'failed'"
        )
        assert set(codes) <= {"poison"}


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
def test_whatever_faults_strike_every_run_ends_with_each_step_recorded_once(servers: Servers) -> None:
    class OverAFreshDatabase(RelayUnderFaults):
        def __init__(self) -> None:
            super().__init__()
            self.url = servers.new_database()
            self.opened = relay_fleet(self.url, LONG)
            self.fleet = self.opened.__enter__()

        def teardown(self) -> None:
            try:
                super().teardown()
            finally:
                self.opened.__exit__(None, None, None)
                servers.drop(self.url)

    run_state_machine_as_test(OverAFreshDatabase, settings=settings(examples=20, steps=25))
