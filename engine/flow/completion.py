"""Carries a transaction on until nothing more follows: insides, joins, ends of scopes, ends of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engine.begin import Begin
from engine.flow.calls import Calls
from engine.flow.cancelling import Cancelling
from engine.flow.catching import Catching
from engine.flow.ends import Ends
from engine.flow.facts import RunFacts
from engine.flow.insides import Insides
from engine.flow.joins import Joins
from engine.flow.run_data import RunData
from engine.flow.run_ends import RunEnds
from engine.flow.scope_ends import ScopeEnds
from engine.flow.succession import Succession
from engine.outcomes import Done, Outcome
from statemachine.workflow import planner
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.called_runs import BegunRuns
from storage.engine.flow.subscriptions import Subscriptions
from storage.engine.runs import Runs
from storage.engine.steps import Steps


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
    catching: Catching
    calls: Calls
    scope_ends: ScopeEnds
    run_ends: RunEnds

    def begin(self, runs: Sequence[Begin]) -> None:
        """Create these runs and their first steps; `finish` goes on from there."""
        facts = [
            RunFacts(
                run_id=run.run_id,
                subject_id=run.subject_id,
                workflow=run.workflow,
                variables=run.variables,
                priority=run.priority,
                manual=run.manual,
                created_by=run.created_by,
                parent_step_id=run.parent_step_id,
                depth=run.depth,
            )
            for run in runs
        ]
        for fact in facts:
            self.succession.enter(fact, planner.begin(fact.workflow, self.data.values(fact)))
        begun = self.succession.begun()
        rows = []
        for run, fact in zip(runs, facts, strict=True):
            opened = self.succession.take_open_steps(run.run_id)
            if not fact.workflow.plain:
                # Not ended before all that follows at once is there.
                opened += 1
                self.succession.count_run(run.run_id, -1)
            elif not opened:
                self.run_ends.ended.add(run.run_id)
            self.succession.runs[run.run_id] = fact
            rows.append(run.new_run(opened, self.succession.moments, begun=run.run_id in begun))
        Runs(self.work).insert(rows)
        for fact in facts:
            if fact.workflow.options.on:
                self.catching.open_run(fact)

    def end(
        self, run: RunFacts, state: RunState, error: Mapping[str, object], *, compensates: bool = True
    ) -> None:
        """End an open run from outside; what it has done is undone before, where its definition has it so."""
        ids = [run.run_id]
        if state is RunState.CANCELLED and compensates and run.workflow.options.compensates_on_cancel:
            self.cancelling.all_in(run)
            Subscriptions(self.work).end_of_runs(ids)
            Runs(self.work).end_as(run.run_id, state, error)
            self.insides.compensate_run(run)
            return
        Runs(self.work).set_state(ids, state, ends=True, error=error)
        self.cancelling.registry.withdraw(self.work, Steps(self.work).cancel_open(ids))
        self.succession.runs[run.run_id] = run
        self.run_ends.ended.add(run.run_id)
        if not run.workflow.plain:
            self.cancelling.runs(ids)

    def finish(self) -> None:
        """Carry on until nothing more follows, then count the runs."""
        going = True
        while going:
            while self._go_on():
                pass
            changed = self.data.flush()
            watching = [run_id for run_id in sorted(changed) if self.succession.runs[run_id].workflow.watches]
            going = bool(watching) and self.catching.look(watching)
        ended, self.ends.ended_waits = self.ends.ended_waits, []
        if ended:
            Subscriptions(self.work).end_of_steps(ended)
        self.run_ends.count()
        self.run_ends.send()

    def _go_on(self) -> bool:
        """Do the next thing; whether there was one."""
        written = self.succession.write_steps()
        if written:
            self.catching.open(written)
            self.insides.open(written)
            return True
        if self.succession.arrivals:
            return self.joins.go_on()
        if self.insides.called:
            return self._call()
        return self._stop() or self.scope_ends.fail() or self._ask_joins() or self.scope_ends.end()

    def _call(self) -> bool:
        """Begin the runs that steps begin."""
        called, self.insides.called = self.insides.called, []
        outcomes: dict[int, Outcome] = {}
        for row, pending in called:
            begun = self.calls.begin(row.step_id, pending)
            if isinstance(begun, Begin):
                self.begin([begun])
                call = pending.step.call
                if call is not None and call.continues:
                    BegunRuns(self.work).hand_over(pending.run.run_id)
                    self.cancelling.all_in(replace(pending.run, scope=None))
                elif call is not None and not call.waits:
                    outcomes[row.step_id] = Done(output={"run_id": begun.run_id})
            else:
                outcomes[row.step_id] = begun
        if outcomes:
            self.scope_ends.end_owners(list(Steps(self.work).lock(list(outcomes))), outcomes)
        return True

    def _stop(self) -> bool:
        """End what is around the ends that were reached."""
        stops, self.succession.stops = self.succession.stops, []
        for run, step, stop in stops:
            if stop.terminates:
                self.cancelling.all_in(run)
            elif stop.escalation is not None:
                self.catching.escalate(run, step, stop.escalation)
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
