"""Writes the results of steps in one transaction: effects, retries and successors."""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from engine.actions import WAIT_OVER, Resumption
from engine.effects import EffectRefusal
from engine.flow.completion import Completion
from engine.flow.ends import Ends
from engine.outcomes import Done, Failed, Outcome, Park, Snooze, TryAgain
from engine.registry import Registry
from runtime.clock import Clock
from statemachine.workflow import planner
from statemachine.workflow.definition import Kind
from statemachine.workflow.options.retry import NO_RETRY, RetryPolicy
from statemachine.workflow.states import TIMED_STEPS, StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import Moments
from storage.engine.steps import StepChange, StepRow, Steps


@dataclass(slots=True)
class Settlement:
    """Writes the outcomes of locked steps, and everything that follows."""

    work: UnitOfWork
    registry: Registry
    moments: Moments
    ends: Ends
    completion: Completion

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
        final = self.ends.plan(rows, final)
        Steps(self.work).change([self._change(row, final[row.step_id]) for row in rows])
        self.ends.enter()
        self.completion.finish()

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
        return Failed(code=outcome.code, message=outcome.message, details=outcome.details)

    def _delay(self, row: StepRow, outcome: TryAgain) -> timedelta | None:
        policy = row.limits.retry(self._policy(row, outcome.code))
        delay = policy.delay(row.tries + 1, random.random())  # noqa: S311 - spreads tries, hides nothing
        if delay is not None and outcome.after_seconds is not None:
            return max(delay, timedelta(seconds=outcome.after_seconds))
        return delay

    def _policy(self, row: StepRow, code: str) -> RetryPolicy:
        """The first retry policy that fits: of the step, of the workflow, of the action."""
        workflow = self.ends.workflow(row)
        step = planner.step_of(workflow, row.node)
        if step.retry or workflow.options.retry:
            written = (*step.retry, *workflow.options.retry)
            return next((policy for policy in written if policy.fits(code)), NO_RETRY)
        return NO_RETRY if row.action is None else self.registry.get(row.action).retry

    def _change(self, row: StepRow, outcome: Outcome) -> StepChange:
        same = StepChange(step_id=row.step_id, state=row.state, delivery=row.delivery, tries=row.tries)
        match outcome:
            case Done() | Failed():
                return self.ends.change_of(row, outcome)
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
            case Snooze(until=until, clock=clock, reason=reason, details=details):
                return replace(
                    same,
                    state=StepState.SCHEDULED,
                    delivery=row.delivery + 1,
                    error={**details, "code": "snoozed", "message": reason},
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
