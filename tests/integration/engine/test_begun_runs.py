"""Runs that have not begun are found without a look at those that have."""

from engine.outcomes import Done, Outcome, Park
from runtime.clock import Clock
from statemachine.workflow.states import RunState
from storage.engine.steps import StepRow
from storage.flows.task_list import TaskFilter, TaskList
from tests.support.engine.general_runs import ScriptedActions, begin
from tests.support.factories import READY, answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.probe import Probe


def listed(house: InProcessFleet, status: RunState) -> set[str]:
    with house.database.transaction() as work:
        return {row.run_id for row in TaskList(work).page(TaskFilter(status=status), after=None, limit=50)}


def marked(house: InProcessFleet) -> set[str]:
    return set(Probe(house.database).values("SELECT run_id FROM runs WHERE begun"))


def test_a_run_is_new_until_a_worker_takes_its_first_step_and_is_marked_when_it_is_recorded(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    seen: list[set[str]] = []

    def first(step: StepRow) -> Outcome:
        seen.extend((listed(house, RunState.CREATED), listed(house, RunState.RUNNING), marked(house)))
        return Done()

    def second(step: StepRow) -> Outcome:
        seen.append(marked(house))
        return Done()

    bench.answers |= {"first": first, "second": second}
    (run_id,) = begin(house, "parallel_branches")
    assert (listed(house, RunState.CREATED), listed(house, RunState.RUNNING)) == ({run_id}, set())
    house.run()
    assert seen == [set(), {run_id}, set(), {run_id}]
    assert listed(house, RunState.COMPLETED) == {run_id}


def test_a_run_whose_first_step_waits_for_the_world_is_running(
    house: InProcessFleet, bench: ScriptedActions
) -> None:
    bench.answers["first"] = lambda _: Park(until=None, clock=Clock.DATABASE, reason="a call is under way")
    (run_id,) = begin(house, "parallel_branches")
    house.run()
    assert (listed(house, RunState.CREATED), listed(house, RunState.RUNNING)) == (set(), {run_id})


def test_an_order_has_begun_when_it_is_accepted(house: InProcessFleet) -> None:
    new = submission(answered(READY))
    house.accept(new)
    assert marked(house) == {house.order(new.body.task_id).run_id}
