"""One row that cannot be carried, at whatever point: it is found, counted and taken out, and its neighbours go on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from engine.actions import Action, Resumption
from engine.engine import Engine
from engine.outcomes import Done, Outcome, Park
from runtime.clock import Clock
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.steps import StepRow
from tests.integration.engine.conftest import SHORT, STEPS
from tests.support.engine.general_runs import ScriptedActions, begin, definition, state_of
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe

ONE_STEP = [{"id": "only", "agent": "contact", "action": "delicate"}]
CRASHES = "SELECT max(crashes) FROM steps WHERE run_id = %s"


@contextmanager
def house_with(database_url: str, action: Action, **changes: Any) -> Iterator[InProcessFleet]:
    """A house with this action, and a workflow that is nothing but it."""
    workflows = [definition("parallel_branches", steps=ONE_STEP, **changes)]
    built = InProcessFleet.build(
        database_url, actions=[*ScriptedActions().actions(), action], workflows=workflows, limits=SHORT
    )
    yield built
    built.close()


def carry(house: InProcessFleet, run_ids: Sequence[str]) -> dict[str, RunState]:
    """Deliver and sweep until these runs have ended; their states."""
    while any(state_of(house, run_id) in (RunState.RUNNING, RunState.PAUSED) for run_id in run_ids):
        house.run()
        house.leap()
    return {run_id: state_of(house, run_id) for run_id in run_ids}


def failing_for(poison: list[str]) -> Callable[[StepRow], None]:
    def fail(step: StepRow) -> None:
        if step.run_id in poison:
            raise ZeroDivisionError("a bug that only this row meets")

    return fail


def test_a_row_that_cannot_be_claimed_is_counted_and_taken_out(database_url: str) -> None:
    poison: list[str] = []
    fail = failing_for(poison)

    def load(_: UnitOfWork, steps: Sequence[StepRow]) -> Mapping[int, Any]:
        for step in steps:
            fail(step)
        return {}

    delicate = Action(name="contact.delicate", load=load, work=lambda b: {s.step_id: Done() for s in b.steps})
    with house_with(database_url, delicate) as house:
        ids = begin(house, "parallel_branches", runs=20)
        poison.append(ids[7])
        states = carry(house, ids)
        assert states.pop(ids[7]) is RunState.FAILED
        assert set(states.values()) == {RunState.COMPLETED}
        error = Probe(house.database).value("SELECT error->>'code' FROM runs WHERE run_id = %s", ids[7])
    assert error == "poison"


def test_an_exception_in_the_work_of_a_batch_is_counted_against_one_row_alone(database_url: str) -> None:
    poison: list[str] = []
    fail = failing_for(poison)
    batches: list[int] = []

    def work(batch: Any) -> Mapping[int, Outcome]:
        batches.append(len(batch.steps))
        for step in batch.steps:
            fail(step)
        return {step.step_id: Done() for step in batch.steps}

    with house_with(database_url, Action(name="contact.delicate", work=work)) as house:
        ids = begin(house, "parallel_branches", runs=16)
        poison.append(ids[3])
        states = carry(house, ids)
        assert states.pop(ids[3]) is RunState.FAILED
        assert set(states.values()) == {RunState.COMPLETED}
        assert {Probe(house.database).value(CRASHES, run_id) for run_id in states} == {0}
    assert batches[0] == 16


def test_a_wait_that_cannot_be_ended_keeps_nobody_from_being_published(database_url: str) -> None:
    poison: list[str] = []
    fail = failing_for(poison)

    def work(batch: Any) -> Mapping[int, Outcome]:
        until = batch.moments.business_now
        return {s.step_id: Park(until=until, clock=Clock.BUSINESS, reason="waits") for s in batch.steps}

    def resume(resumption: Resumption) -> Outcome:
        fail(resumption.step)
        return Done()

    with house_with(database_url, Action(name="contact.delicate", work=work, resume=resume)) as house:
        ids = begin(house, "parallel_branches", runs=5)
        poison.append(ids[2])
        states = carry(house, ids)
    assert states.pop(ids[2]) is RunState.FAILED
    assert set(states.values()) == {RunState.COMPLETED}


def test_runs_whose_definition_can_no_longer_be_read_keep_nobody_from_going_on(database_url: str) -> None:
    bench = ScriptedActions()
    workflows = [
        definition("parallel_branches", steps=STEPS, timeout_seconds=1),
        definition("order_processing_v1"),
    ]
    before = InProcessFleet.build(database_url, actions=bench.actions(), workflows=workflows, limits=SHORT)
    (timed, at_work) = begin(before, "parallel_branches", runs=2)
    with before.database.transaction() as work:
        work.connection.exec_driver_sql(
            "UPDATE definitions SET body = '{}' WHERE workflow = 'parallel_branches'"
        )
        work.connection.exec_driver_sql("UPDATE runs SET deadline_at = now() WHERE run_id = %s", (timed,))
        work.connection.exec_driver_sql("UPDATE runs SET deadline_at = NULL WHERE run_id = %s", (at_work,))
    before.close()
    house = InProcessFleet.build(database_url, actions=bench.actions(), limits=SHORT)
    (sound,) = begin(house, "order_processing_v1")
    states = carry(house, [timed, at_work, sound])
    house.close()
    assert states == {timed: RunState.FAILED, at_work: RunState.FAILED, sound: RunState.COMPLETED}


def test_a_person_is_told_of_a_run_whose_definition_can_no_longer_be_read(database_url: str) -> None:
    bench = ScriptedActions()
    workflow = definition("parallel_branches", steps=STEPS)
    before = InProcessFleet.build(database_url, actions=bench.actions(), workflows=[workflow])
    (run_id,) = begin(before, "parallel_branches", timeout_seconds=60)
    probe = Probe(before.database)
    probe.write("UPDATE definitions SET body = '{}' WHERE workflow = 'parallel_branches'")
    probe.write("UPDATE runs SET deadline_at = now()")
    house = InProcessFleet.build(database_url, actions=bench.actions())
    house.tick.sweep()
    told = "SELECT metadata->>'execution_id' FROM alerts WHERE alert_type = 'run_abandoned'"
    assert list(probe.values(told)) == [run_id]
    house.close()
    before.close()


def test_a_run_that_cannot_even_be_failed_keeps_nobody_from_being_published(database_url: str) -> None:
    bench = ScriptedActions()
    workflows = [
        definition("parallel_branches", steps=STEPS, timeout_seconds=1),
        definition("order_processing_v1"),
    ]
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=workflows, limits=SHORT)
    (stuck,) = begin(house, "parallel_branches")
    with house.database.transaction() as work:
        work.connection.exec_driver_sql("UPDATE runs SET deadline_at = now() WHERE run_id = %s", (stuck,))
        work.connection.exec_driver_sql(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not this one'; END $$"
        )
        work.connection.exec_driver_sql(
            f"CREATE TRIGGER refuse BEFORE UPDATE ON runs FOR EACH ROW WHEN (OLD.run_id = '{stuck}') "
            "EXECUTE FUNCTION refuse()"
        )
    house.wire.lose_everything()
    (sound,) = begin(house, "order_processing_v1")
    house.wire.lose_everything()
    assert carry(house, [sound]) == {sound: RunState.COMPLETED}
    house.close()


def test_an_interruption_of_work_is_counted_against_all_its_rows(database_url: str) -> None:
    class TimeIsUp(Exception):
        pass

    interrupted: list[int] = []

    def work(batch: Any) -> Mapping[int, Outcome]:
        interrupted.append(len(batch.steps))
        if len(interrupted) == 1:
            raise TimeIsUp
        return {step.step_id: Done() for step in batch.steps}

    with house_with(database_url, Action(name="contact.delicate", work=work)) as house:
        engine = Engine(
            database=house.database,
            publisher=house.wire,
            registry=house.engine.registry,
            queues=house.engine.queues,
            holder="test",
            limits=SHORT,
            interruptions=(TimeIsUp,),
        )
        ids = begin(house, "parallel_branches", runs=4)
        message = house.wire.messages.popleft()
        try:
            engine.execute(message.action, message.keys)
        except TimeIsUp:
            interrupted.append(0)
        finally:
            engine.close()
        assert interrupted == [4, 0]
        assert {Probe(house.database).value(CRASHES, run_id) for run_id in ids} == {1}
        assert set(carry(house, ids).values()) == {RunState.COMPLETED}
