"""Cancel, pause and resume at any moment; time limits; waits on the world outside."""

from engine.outcomes import Done, Outcome, Park, SignalResult
from runtime.clock import Clock
from statemachine.workflow.states import RunState
from storage.engine.steps import StepRow
from storage.orders.order_view import OrderView
from tests.support.engine.general_runs import ScriptedActions, begin, nodes_of, state_of
from tests.support.in_process_fleet import InProcessFleet


def parked(step: StepRow) -> Outcome:
    """Wait for the world."""
    return Park(until=None, clock=Clock.DATABASE, reason=f"{step.node} waits")


def only_step(house: InProcessFleet, run_id: str) -> int:
    """The one step of a run."""
    with house.database.transaction() as work:
        (row,) = OrderView(work).steps(run_id)
    return int(row["step_id"])


def test_a_cancelled_run_is_worked_no_further(house: InProcessFleet, bench: ScriptedActions) -> None:
    (run_id,) = begin(house, "parallel_branches")
    with house.engine.transaction() as transaction:
        transaction.end([run_id], RunState.CANCELLED, agent_id="operator", reason="no longer wanted")
    house.run()
    assert bench.worked == []
    assert state_of(house, run_id) == RunState.CANCELLED


def test_a_cancel_while_the_step_is_at_work_refuses_its_result(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    (run_id,) = begin(house, "parallel_branches")

    def cancelled_meanwhile(_: StepRow) -> Outcome:
        with house.engine.transaction() as transaction:
            transaction.end([run_id], RunState.CANCELLED, agent_id="operator", reason="too late")
        return Done()

    bench.answers["first"] = cancelled_meanwhile
    house.run()
    assert nodes_of(house, run_id) == {"first": ["cancelled"]}


def test_a_paused_run_waits_and_goes_on_where_it_was(house: InProcessFleet, bench: ScriptedActions) -> None:
    (run_id,) = begin(house, "parallel_branches")
    with house.engine.transaction() as transaction:
        assert transaction.pause([run_id]) == [run_id]
    house.run()
    assert bench.worked == []
    with house.engine.transaction() as transaction:
        assert transaction.resume([run_id]) == [run_id]
    while state_of(house, run_id) != RunState.COMPLETED:
        house.run()
    assert bench.worked == ["first", "second"]


def test_a_pause_while_the_step_is_at_work_holds_what_follows(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    (run_id,) = begin(house, "parallel_branches")

    def paused_meanwhile(_: StepRow) -> Outcome:
        with house.engine.transaction() as transaction:
            transaction.pause([run_id])
        return Done()

    bench.answers["first"] = paused_meanwhile
    house.run()
    assert bench.worked == ["first"]
    with house.engine.transaction() as transaction:
        transaction.resume([run_id])
    house.run()
    assert bench.worked == ["first", "second"]


def test_a_run_whose_time_is_up_fails_with_the_reason(house: InProcessFleet, bench: ScriptedActions) -> None:
    bench.answers["first"] = parked
    (run_id,) = begin(house, "parallel_branches", timeout_seconds=1)
    house.wire.deliver(house.execute)
    while state_of(house, run_id) == RunState.RUNNING:
        house.tick.sweep()
    assert state_of(house, run_id) == RunState.FAILED
    assert nodes_of(house, run_id) == {"first": ["cancelled"]}


def test_a_signal_ends_the_wait_of_a_parked_step(house: InProcessFleet, bench: ScriptedActions) -> None:
    bench.answers["first"] = parked
    (run_id,) = begin(house, "parallel_branches")
    house.run()
    with house.engine.transaction() as transaction:
        verdicts = transaction.complete({only_step(house, run_id): {"answer": 42}})
    house.run()
    assert list(verdicts.values()) == [SignalResult.APPLIED]
    assert state_of(house, run_id) == RunState.COMPLETED


def test_a_signal_that_comes_before_the_step_is_parked_is_not_lost(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    (run_id,) = begin(house, "parallel_branches")
    verdicts: list[SignalResult] = []

    def answered_meanwhile(step: StepRow) -> Outcome:
        with house.engine.transaction() as transaction:
            verdicts.extend(transaction.complete({step.step_id: {"answer": 42}}).values())
        return parked(step)

    bench.answers["first"] = answered_meanwhile
    house.run()
    assert verdicts == [SignalResult.EARLY]
    assert state_of(house, run_id) == RunState.COMPLETED


def test_a_signal_that_comes_after_the_end_changes_nothing(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    bench.answers["first"] = parked
    (run_id,) = begin(house, "parallel_branches")
    house.run()
    step_id = only_step(house, run_id)
    for expected in (SignalResult.APPLIED, SignalResult.LATE):
        with house.engine.transaction() as transaction:
            assert transaction.complete({step_id: {"answer": 42}}) == {step_id: expected}
    house.run()
    assert bench.worked == ["first", "second"]
