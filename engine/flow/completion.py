"""Carries a transaction on until nothing more follows: insides, joins, ends of scopes, ends of runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.flow.cancelling import Cancelling
from engine.flow.ends import Ends
from engine.flow.facts import RunFacts
from engine.flow.insides import Insides
from engine.flow.joins import Joins
from engine.flow.run_data import RunData
from engine.flow.succession import MOST_STEPS_OF_A_RUN, Succession
from engine.outcomes import Done, Failed, Outcome
from statemachine.workflow import planner
from statemachine.workflow.definition import Kind
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.options.loops import ForEach
from statemachine.workflow.states import StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.scopes import ScopeRow, Scopes
from storage.engine.steps import StepChange, StepRow, Steps


@dataclass(slots=True)
class Completion:
    """Ends what has nothing open any more, and goes on with what follows."""

    work: UnitOfWork
    data: RunData
    succession: Succession
    ends: Ends
    insides: Insides
    joins: Joins
    cancelling: Cancelling
    ended: set[str] = field(default_factory=set)
    """The runs that have ended by themselves."""
    _entered: dict[str, RunFacts] = field(default_factory=dict)

    def finish(self) -> None:
        """Carry on until nothing more follows, then count the runs."""
        while self._go_on():
            pass
        self.data.flush()
        self._count_runs()

    def _go_on(self) -> bool:
        """Do the next thing; whether there was one."""
        written = self.succession.write_steps()
        if written:
            self.insides.open(written)
            return True
        if self.succession.arrivals:
            return self.joins.go_on()
        return self._stop() or self._fail_scopes() or self._ask_joins() or self._end_scopes()

    def _stop(self) -> bool:
        """End what is around the ends that were reached."""
        stops, self.succession.stops = self.succession.stops, []
        for run, step, stop in stops:
            if stop.terminates:
                self.cancelling.all_in(run)
            elif stop.error is not None:
                error = {"code": stop.error, "message": step.title or f"the end '{step.id}' was reached"}
                plan = planner.after_failure(
                    run.workflow, step.id, given={}, error=error, values=self.data.values(run)
                )
                if plan is None:
                    self.succession.fail(run, {**error, "step": step.id})
                else:
                    self.succession.enter(run, plan)
        return bool(stops)

    def _ask_joins(self) -> bool:
        """Ask the joins again for which nothing further may come, now that steps of their scopes have ended."""
        touched, self.ends.touched = self.ends.touched, {}
        asked = [self.joins.ask_again(run) for run in touched.values() if not self.succession.has_failed(run)]
        return any(asked)

    def _fail_scopes(self) -> bool:
        """Let the steps fail whose insides have: what is still open in them is cancelled."""
        failed, self.succession.failed_scopes = self.succession.failed_scopes, {}
        if not failed:
            return False
        outcomes: dict[int, Outcome] = {}
        for scope_id, error in failed.items():
            outcomes[scope_id] = Failed(code=str(error["code"]), message=str(error["message"]))
        owners = Steps(self.work).lock(list(outcomes))
        for owner in owners:
            self.cancelling.inside(owner.run_id, [owner.step_id])
        self._end_owners([owner for owner in owners if owner.state is StepState.PARKED], outcomes)
        return True

    def _end_scopes(self) -> bool:
        """Count the steps of scopes; end the steps in which nothing is open any more."""
        opened, self.succession.opened_scopes = self.succession.opened_scopes, {}
        if not opened:
            return False
        left = Scopes(self.work).count(opened)
        empty = [scope_id for scope_id, number in left.items() if number == 0]
        if empty:
            scopes = Scopes(self.work).find(empty)
            owners = [row for row in Steps(self.work).lock(empty) if row.state is StepState.PARKED]
            self.ends.find_scopes(owners)
            outcomes = {owner.step_id: self._outcome(owner, scopes[owner.step_id]) for owner in owners}
            Scopes(self.work).close(empty)
            self._end_owners(owners, outcomes)
        return True

    def _outcome(self, owner: StepRow, scope: ScopeRow) -> Outcome:
        """What a step comes to in which everything has ended."""
        if owner.kind != Kind.EACH:
            return Done(output={})
        run = self.ends.run_of(owner)
        loop = run.workflow.steps[owner.node].loop
        collect = loop.collect if isinstance(loop, ForEach) else None
        items: list[object] = []
        for result in Scopes(self.work).results(scope.scope_id):
            if result.error is not None and result.output is None:
                items.append({"error": result.error})
            elif collect is None:
                items.append(result.output)
            else:
                output: Mapping[str, Any] = {**(result.output or {}), "index": result.element}
                try:
                    items.append(collect.fill(self.data.values(run).names(run.workflow, output)))
                except ExpressionFault as fault:
                    return Failed(code="expression", message=str(fault))
        return Done(output={"items": items})

    def _end_owners(self, owners: list[StepRow], outcomes: Mapping[int, Outcome]) -> None:
        final = self.ends.plan(owners, outcomes)
        Steps(self.work).change([_change(owner, final[owner.step_id]) for owner in owners])
        self.ends.enter()

    def _count_runs(self) -> None:
        advanced = self.succession.write_runs()
        self.ended |= advanced.ended
        if advanced.endless:
            error = {"code": "endless", "message": f"the run has had more than {MOST_STEPS_OF_A_RUN:,} steps"}
            for run_id in advanced.endless:
                self.succession.fail_run(run_id, error)
            self.ended |= self.succession.write_runs().ended


def _change(owner: StepRow, outcome: Outcome) -> StepChange:
    done = outcome.output if isinstance(outcome, Done) else None
    error = {"code": outcome.code, "message": outcome.message} if isinstance(outcome, Failed) else None
    return StepChange(
        step_id=owner.step_id,
        state=StepState.DONE if error is None else StepState.FAILED,
        delivery=owner.delivery,
        tries=owner.tries,
        output=done,
        error=error,
    )
