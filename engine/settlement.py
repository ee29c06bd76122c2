"""Writes the results of steps in one transaction: effects, retries and successors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from engine.actions import WAIT_OVER, Resumption
from engine.catalogue import Catalogue
from engine.effects import EffectRefusal
from engine.outcomes import Done, Failed, Outcome, Park, Snooze, TryAgain
from engine.registry import Registry
from engine.succession import RunFacts, Succession
from runtime.clock import Clock
from statemachine.workflow import planner
from statemachine.workflow.definition import Kind, Workflow
from statemachine.workflow.states import TIMED_STEPS, RunState, StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.arrivals import Arrivals, EndedNeed
from storage.engine.clock import Moments
from storage.engine.steps import StepChange, StepRow, Steps
from storage.engine.urgency import still_behind


@dataclass(slots=True)
class Settlement:
    """Writes the outcomes of locked steps, and everything that follows."""

    work: UnitOfWork
    catalogue: Catalogue
    registry: Registry
    moments: Moments
    succession: Succession

    def settle(
        self, rows: Sequence[StepRow], outcomes: Mapping[int, Outcome], subjects: Mapping[int, Any]
    ) -> None:
        """Write the outcomes of these locked steps, one for each."""
        final = {row.step_id: self._with_early_signal(row, outcomes[row.step_id], subjects) for row in rows}
        effects = [(row.step_id, effect) for row in rows for effect in final[row.step_id].effects]
        for step_id, refusal in self.registry.writers.apply(self.work, effects).items():
            final[step_id] = self._refused(refusal)
        for row in rows:
            final[row.step_id] = self._exhausted(row, final[row.step_id])
        Steps(self.work).change([self._change(row, final[row.step_id]) for row in rows])
        for row in rows:
            outcome = final[row.step_id]
            if isinstance(outcome, Failed):
                self._after_failure(row, outcome)
        self._after_success([(row, done) for row in rows if isinstance(done := final[row.step_id], Done)])
        self.succession.write_steps()
        self.succession.write_runs()

    def _with_early_signal(self, row: StepRow, outcome: Outcome, subjects: Mapping[int, Any]) -> Outcome:
        """Results that came while the step was at work are heard now, in the order they came.

        One that settles the step does so whatever the work came to: what the world says goes before what a worker
        could not find out. One that would only let it wait on leaves work that must look again as it is.
        """
        for signal in row.early_signals or ():
            if isinstance(outcome, Done) or row.action is None:
                break
            step = row
            if isinstance(outcome, Park | Snooze):
                step = replace(row, due_at=outcome.until, due_clock=outcome.clock)
            resumed = self.registry.get(row.action).resume(
                Resumption(step=step, subject=subjects.get(row.step_id), signal=signal, moments=self.moments)
            )
            if isinstance(resumed, Done) or isinstance(outcome, Park):
                outcome = replace(resumed, effects=(*outcome.effects, *resumed.effects))
            elif isinstance(resumed, Park):
                outcome = replace(outcome, effects=(*outcome.effects, *resumed.effects))
        return outcome

    def _refused(self, refusal: EffectRefusal) -> Outcome:
        """What becomes of a step whose effects cannot be written."""
        if refusal.again:
            return Snooze(until=self.moments.database_now, clock=Clock.DATABASE, reason=str(refusal.error))
        return Failed(code=refusal.code, message=str(refusal.error))

    def _exhausted(self, row: StepRow, outcome: Outcome) -> Outcome:
        """A fault that may pass has failed for good once its retries are used up."""
        if not isinstance(outcome, TryAgain) or self._delay(row, outcome) is not None:
            return outcome
        return Failed(code=outcome.code, message=outcome.message)

    def _delay(self, row: StepRow, outcome: TryAgain) -> timedelta | None:
        step = self._workflow(row).steps[row.node]
        policy = step.retry or self.registry.get(str(row.action)).retry
        delay = row.limits.retry(policy).delay(row.tries + 1)
        if delay is not None and outcome.after_seconds is not None:
            return max(delay, timedelta(seconds=outcome.after_seconds))
        return delay

    def _change(self, row: StepRow, outcome: Outcome) -> StepChange:
        same = StepChange(step_id=row.step_id, state=row.state, delivery=row.delivery, tries=row.tries)
        match outcome:
            case Done(output=output):
                return replace(same, state=StepState.DONE, output=output)
            case Failed(code=code, message=message):
                return replace(same, state=StepState.FAILED, error={"code": code, "message": message})
            case TryAgain(code=code, message=message):
                delay = self._delay(row, outcome) or timedelta()
                return replace(
                    same,
                    state=StepState.SCHEDULED,
                    delivery=row.delivery + 1,
                    tries=row.tries + 1,
                    error={"code": code, "message": message},
                    due_at=self.moments.database_now + delay,
                    due_clock=Clock.DATABASE,
                )
            case Snooze(until=until, clock=clock, reason=reason):
                return replace(
                    same,
                    state=StepState.SCHEDULED,
                    delivery=row.delivery + 1,
                    error={"code": "snoozed", "message": reason},
                    due_at=until,
                    due_clock=clock,
                )
            case Park(until=until, clock=clock, reason=reason):
                return replace(
                    same,
                    state=StepState.PARKED,
                    error={"code": "parked", "message": reason},
                    due_at=until,
                    due_clock=clock if until else None,
                )

    def _after_failure(self, row: StepRow, outcome: Failed) -> None:
        self.succession.count(row.run_id, -1)
        error: dict[str, object] = {"code": outcome.code, "message": outcome.message}
        plan = planner.after_failure(self._workflow(row), row.node, given=row.input, error=error)
        if plan is None:
            self.succession.fail(row.run_id, {**error, "step": row.node})
        else:
            self.succession.enter(self.run_of(row), plan, row.step_id)

    def _after_success(self, ended: Sequence[tuple[StepRow, Done]]) -> None:
        joined = self._joined([row for row, _ in ended])
        for row, outcome in ended:
            self.succession.count(row.run_id, -1)
            if self.succession.has_failed(row.run_id):
                continue
            plan = planner.after_success(
                self._workflow(row),
                row.node,
                given=row.input,
                output=outcome.output,
                variables=row.variables,
                joined=joined.get(row.step_id, {}),
            )
            self.succession.enter(self.run_of(row), plan, row.step_id)

    def _joined(self, ended: Sequence[StepRow]) -> dict[int, dict[str, dict[str, Mapping[str, Any]]]]:
        """The joins that these ends complete, by the step that came last and the join, with what each need returned."""
        arrivals = [
            EndedNeed(row.run_id, join, row.step_id, row.node)
            for row in ended
            for join in self._workflow(row).joins_of(row.node)
        ]
        last = {(one.run_id, one.node): one.step_id for one in arrivals}
        workflows = {row.run_id: self._workflow(row) for row in ended}
        needs = {(run_id, node): len(workflows[run_id].steps[node].needs) for run_id, node in last}
        found: dict[int, dict[str, dict[str, Mapping[str, Any]]]] = {}
        for place, outputs in Arrivals(self.work).arrive(arrivals, needs).items():
            found.setdefault(last[place], {})[place[1]] = outputs
        return found

    def load(self, rows: Iterable[StepRow]) -> dict[int, Any]:
        """The subjects of these locked steps, read anew."""
        by_action: dict[str, list[StepRow]] = {}
        for row in rows:
            if row.action:
                by_action.setdefault(row.action, []).append(row)
        subjects: dict[int, Any] = {}
        for name, of_action in by_action.items():
            subjects |= self.registry.get(name).load(self.work, of_action)
        return subjects

    def is_due(self, row: StepRow) -> bool:
        """Whether a locked step still waits for a moment that has come."""
        is_action = row.state is StepState.SCHEDULED and row.kind == Kind.ACTION
        if row.state not in TIMED_STEPS or is_action or row.held:
            return False
        if row.due_at is None or row.due_clock is None:
            return False
        return row.due_at <= self.moments.on(Clock(row.due_clock))

    def resume(self, rows: Sequence[StepRow], signals: Mapping[int, Mapping[str, Any]]) -> None:
        """End the wait of these locked steps, each by its signal."""
        subjects = self.load(rows)
        outcomes = {row.step_id: self._resumed(row, subjects, signals[row.step_id]) for row in rows}
        self.settle(rows, outcomes, subjects)

    def _resumed(self, row: StepRow, subjects: Mapping[int, Any], signal: Mapping[str, Any]) -> Outcome:
        if row.state is StepState.OFFERED and signal.get("type") == "deadline":
            return Failed(code="caller_vanished", message="nobody has called for this step in time")
        action = self.registry.get(row.action) if row.action else WAIT_OVER
        return action.resume(
            Resumption(step=row, subject=subjects.get(row.step_id), signal=signal, moments=self.moments)
        )

    def run_of(self, row: StepRow) -> RunFacts:
        """The run of a locked step."""
        return RunFacts(
            run_id=row.run_id,
            subject_id=row.subject_id,
            workflow=self._workflow(row),
            variables=row.variables,
            priority=row.run_priority,
            held=row.run_state is RunState.PAUSED,
            behind=still_behind(row.urgency, row.priority, self.moments.database_now),
            manual=row.run_manual,
        )

    def _workflow(self, row: StepRow) -> Workflow:
        return self.catalogue.version(self.work, row.workflow, row.version)
