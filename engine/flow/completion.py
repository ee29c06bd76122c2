"""Carries a transaction on until nothing more follows: insides, joins, ends of scopes, ends of runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine.begin import Begin
from engine.flow.calls import Calls
from engine.flow.cancelling import Cancelling
from engine.flow.catching import Catching
from engine.flow.ends import Ends, change_of
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
from statemachine.workflow.states import RunState, StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.scopes import ScopeRow, Scopes
from storage.engine.flow.subscriptions import Subscriptions
from storage.engine.runs import Runs
from storage.engine.steps import StepRow, Steps

_ENDLESS: Final[Mapping[str, object]] = {
    "code": "endless",
    "message": f"the run has had more than {MOST_STEPS_OF_A_RUN:,} steps",
}


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
    ended: set[str] = field(default_factory=set)
    """The runs that have ended by themselves."""

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
            self.succession.runs[fact.run_id] = fact
            self.succession.enter(fact, planner.begin(fact.workflow, self.data.values(fact)))
        begun = self.succession.begun()
        Runs(self.work).insert(
            [
                run.new_run(
                    self.succession.take_open_steps(run.run_id),
                    self.succession.moments,
                    begun=run.run_id in begun,
                )
                for run in runs
            ]
        )
        for fact in facts:
            if fact.workflow.options.on:
                self.catching.open_run(fact)

    def end(self, run: RunFacts, state: RunState, error: Mapping[str, object]) -> None:
        """End an open run from outside; what it has done is undone before, where its definition has it so."""
        ids = [run.run_id]
        if state is RunState.CANCELLED and run.workflow.options.compensates_on_cancel:
            self.cancelling.all_in(run)
            Subscriptions(self.work).end_of_runs(ids)
            Runs(self.work).end_as(run.run_id, state, error)
            self.insides.compensate_run(run)
            return
        Runs(self.work).set_state(ids, state, ends=True, error=error)
        self.cancelling.registry.withdraw(self.work, Steps(self.work).cancel_open(ids))
        self.succession.runs[run.run_id] = run
        self.ended.add(run.run_id)
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
        self._count_runs()

    @property
    def calls_back(self) -> bool:
        """Whether runs have ended, or are to, of which steps of other runs know."""
        ended = (self.succession.runs.get(run_id) for run_id in self.ended)
        return self.cancelling.asked or any(
            run is not None and run.parent_step_id is not None for run in ended
        )

    def _go_on(self) -> bool:
        """Do the next thing; whether there was one."""
        written = self.succession.write_steps()
        if written:
            self.catching.open(written)
            self.insides.open(written)
            return True
        if self.succession.arrivals:
            # What comes may be the last that can.
            self.ends.touch([run for run, _, _ in self.succession.arrivals])
            if self.joins.go_on():
                return True
        if self.insides.called:
            return self._call()
        return self._stop() or self._fail_scopes() or self._ask_joins() or self._end_scopes()

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
                    Runs(self.work).hand_over(pending.run.run_id)
                    self.cancelling.all_in(replace(pending.run, scope=None))
                elif call is not None and not call.waits:
                    outcomes[row.step_id] = Done(output={"run_id": begun.run_id})
            else:
                outcomes[row.step_id] = begun
        if outcomes:
            self._end_owners(list(Steps(self.work).lock(list(outcomes))), outcomes)
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
        self.ends.note_begun({scope_id: each.begun for scope_id, each in left.items()})
        empty = [scope_id for scope_id, each in left.items() if each.open_steps == 0]
        if empty:
            scopes = Scopes(self.work).find(empty)
            owners = [row for row in Steps(self.work).lock(empty) if row.state is StepState.PARKED]
            self.ends.find_scopes(owners)
            outcomes = {owner.step_id: self._outcome(owner, scopes[owner.step_id]) for owner in owners}
            outcomes |= self._incomplete_scopes(owners)
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
        Steps(self.work).change([change_of(owner, final[owner.step_id]) for owner in owners])
        self.ends.enter()

    def _count_runs(self) -> None:
        advanced = self.succession.write_runs()
        ended = advanced.ended
        failing = dict.fromkeys(advanced.endless, _ENDLESS) | self._incomplete(ended)
        if failing:
            for run_id, error in failing.items():
                self.succession.fail_run(run_id, error)
            ended |= self.succession.write_runs().ended
        self.ended |= ended
        self._write_outputs(ended)
        cleared = [run_id for run_id in sorted(ended) if not self._is_plain(run_id)]
        if cleared:
            self.cancelling.runs(cleared)

    def _write_outputs(self, ended: Iterable[str]) -> None:
        """Write what runs came to whose definition says it."""
        for run_id in sorted(ended):
            run = self.succession.runs.get(run_id)
            if run is not None and run.workflow.options.output is not None:
                try:
                    Runs(self.work).write_output(
                        run_id, planner.result(run.workflow, self.data.values(run), {})
                    )
                except ExpressionFault as fault:
                    error = {"code": "expression", "message": str(fault), "step": "output"}
                    Runs(self.work).set_state([run_id], RunState.FAILED, ends=True, error=error)

    def _incomplete(self, ended: Iterable[str]) -> dict[str, Mapping[str, object]]:
        """Runs in which nothing is open, and branches wait for others that never come: they have failed."""
        known = (self.succession.runs.get(run_id) for run_id in ended)
        asked = {run.run_id: run.workflow for run in known if run is not None and run.workflow.flows}
        return {place.run_id: error for place, error in self.joins.in_vain(asked).items()}

    def _incomplete_scopes(self, owners: Sequence[StepRow]) -> dict[int, Outcome]:
        """The same of scopes: the steps in which they are have failed."""
        scopes = {owner.step_id for owner in owners if owner.kind != Kind.EACH}
        workflows = {owner.run_id: each for owner in owners if (each := self.ends.workflow(owner)).flows}
        found: dict[int, Outcome] = {}
        for place, error in self.joins.in_vain(workflows).items():
            if place.scope_id in scopes:
                found[place.scope_id] = Failed(code=str(error["code"]), message=str(error["message"]))
                self.cancelling.inside(place.run_id, [place.scope_id])
        return found

    def _is_plain(self, run_id: str) -> bool:
        run = self.succession.runs.get(run_id)
        return run is not None and run.workflow.plain
