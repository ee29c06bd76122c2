"""Carries a transaction on until nothing more follows: insides, joins, ends of scopes, ends of runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.begin import Begin
from engine.flow.calls import Calls
from engine.flow.ends import Ends
from engine.flow.events.catching import Catching
from engine.flow.facts import RunFacts
from engine.flow.inside.cancelling import Cancelling
from engine.flow.inside.insides import Insides
from engine.flow.inside.joins import Joins
from engine.flow.inside.scope_ends import ScopeEnds
from engine.flow.run_data import RunData
from engine.flow.run_ends import RunEnds
from engine.flow.slot_requests import SlotRequests
from engine.flow.succession import Succession
from engine.outcomes import Done, Outcome
from statemachine.workflow import planner
from statemachine.workflow.filling import StepFault
from statemachine.workflow.plan import Plan
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.called_runs import BegunRuns
from storage.engine.flow.run_keys import RunKeys
from storage.engine.flow.subscriptions import Subscriptions
from storage.engine.runs import Runs
from storage.engine.steps import Steps

_LONGEST_KEY: Final = 256


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
    slots: SlotRequests
    scope_ends: ScopeEnds
    run_ends: RunEnds

    def begin(self, runs: Sequence[Begin]) -> dict[str, str]:
        """Create these runs and their first steps; `finish` goes on from there.

        Returns:
            Those that were begun before under the same key, each with the run that was.
        """
        facts = {run.run_id: _facts(run) for run in runs}
        known, faults = self._begun_before(facts.values())
        begun = [run for run in runs if run.run_id not in known]
        for run in begun:
            fact = facts[run.run_id]
            if run.run_id in faults:
                self.succession.enter(fact, Plan(error=faults[run.run_id]))
            else:
                self.succession.enter(fact, planner.begin(fact.workflow, self.data.values(fact)))
        touched = self.succession.begun()
        rows = []
        for run in begun:
            fact = facts[run.run_id]
            opened = self.succession.take_open_steps(run.run_id)
            self.succession.runs[run.run_id] = fact
            rows.append(run.new_run(opened, self.succession.moments, begun=run.run_id in touched))
        Runs(self.work).insert(rows)
        for run in begun:
            if run.workflow.options.on:
                self.catching.open_run(facts[run.run_id])
        return known

    def _begun_before(
        self, facts: Iterable[RunFacts]
    ) -> tuple[dict[str, str], dict[str, Mapping[str, object]]]:
        """Of these runs those whose key is known, with the run it belongs to; and those whose key has no value."""
        wanted: dict[tuple[str, str], str] = {}
        of_run: dict[str, tuple[str, str]] = {}
        faults: dict[str, Mapping[str, object]] = {}
        for fact in facts:
            if fact.workflow.options.key is None:
                continue
            try:
                key = planner.start_key(fact.workflow, self.data.values(fact))
            except StepFault as fault:
                faults[fact.run_id] = {"code": fault.code, "message": str(fault), "step": "key"}
                continue
            of_run[fact.run_id] = fact.workflow.name, str(key)[:_LONGEST_KEY]
            wanted.setdefault(of_run[fact.run_id], fact.run_id)
        if not wanted:
            return {}, faults
        found = RunKeys(self.work).reserve(wanted)
        return {run_id: found[key] for run_id, key in of_run.items() if found[key] != run_id}, faults

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
        spent, self.ends.ended_slots = self.ends.ended_slots, []
        self.slots.release_steps(spent)
        self.run_ends.count()
        self.run_ends.send()

    def _go_on(self) -> bool:
        """Do the next thing; whether there was one."""
        written = self.succession.write_steps()
        if written:
            self.catching.open(written)
            self.slots.ask(written)
            self.insides.open(written)
            return True
        if self.succession.arrivals:
            # What comes may be the last that can.
            self.ends.touch([run for run, _, _ in self.succession.arrivals])
            if self.joins.go_on():
                return True
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
        asked = [run for run in touched.values() if not self.succession.has_failed(run)]
        gone_on = [run for run in asked if self.joins.ask_again(run)]
        # What has gone on may come to nothing, for which another waits.
        self.ends.touch(gone_on)
        return bool(gone_on)


def _facts(run: Begin) -> RunFacts:
    return RunFacts(
        run_id=run.run_id,
        subject_id=run.subject_id,
        workflow=run.workflow,
        variables=run.variables,
        priority=run.urgency,
        manual=run.manual,
        created_by=run.created_by,
        parent_step_id=run.parent_step_id,
        depth=run.depth,
        trace_id=run.trace_id,
    )
