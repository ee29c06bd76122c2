"""Creates what follows ended steps: successors, gateways, inline steps, questions, the run's count of open steps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from engine.actions import Action, Entering
from engine.outcomes import Done, Failed, Park
from engine.registry import Question, Registry
from engine.room import Room
from runtime.clock import Clock
from schemas.core.effects import Effect
from statemachine.workflow import planner
from statemachine.workflow.definition import ORIGIN, Kind, Step, Workflow
from statemachine.workflow.options.agent_choice import OFFER_SECONDS
from statemachine.workflow.planner import Entered, Plan
from statemachine.workflow.states import UNTOUCHED_STEPS, StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import Moments
from storage.engine.runs import RunChange, Runs
from storage.engine.steps import InsertedStep, NewStep, Steps
from storage.engine.urgency import urgency

_PLACED: Final = (StepState.READY, StepState.PUBLISHED)
"""The states of rows that have a place among those of their queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """The data of a run that creating steps needs."""

    run_id: str
    subject_id: str | None
    workflow: Workflow
    variables: Mapping[str, Any]
    priority: int
    held: bool = False
    behind: timedelta = timedelta()
    """How far the step that led here still stands behind new work; what follows it does too."""
    manual: bool = False
    """Whether its agents' steps are offered to outside agents instead of driven by the fleet (SPEC.md §6)."""


@dataclass(slots=True)
class Succession:
    """Collects the steps a transaction creates and writes them with one statement a table."""

    work: UnitOfWork
    registry: Registry
    room: Room
    moments: Moments
    inserted: list[InsertedStep] = field(default_factory=list)
    _new: list[tuple[NewStep, Step]] = field(default_factory=list)
    _effects: list[Effect] = field(default_factory=list)
    _open_steps: dict[str, int] = field(default_factory=dict)
    _failed: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def enter(self, run: RunFacts, plan: Plan, caused_by: int | None = None) -> None:
        """Create the steps of a plan; inline steps run here, with their successors."""
        for passed in plan.passed:
            self._add(run, passed.step, caused_by, state=StepState.DONE, output={"held": passed.held})
        for stopped in plan.stopped:
            self._add(run, stopped.step, caused_by, state=StepState.FAILED, output=stopped.error)
        if plan.error is not None:
            self.fail(run.run_id, plan.error)
        for entered in plan.entered:
            action = self._action_of(entered.step)
            if entered.step.inline and action is not None and action.inline is not None:
                self._run_inline(run, entered, action, caused_by)
            else:
                self._create(run, entered, action, caused_by)

    def count(self, run_id: str, delta: int) -> None:
        """Add to the number of open steps of a run."""
        self._open_steps[run_id] = self._open_steps.get(run_id, 0) + delta

    def fail(self, run_id: str, error: Mapping[str, object]) -> None:
        """Mark a run as failed; its other open steps are cancelled when this is written."""
        self._failed[run_id] = error
        self.count(run_id, 0)

    def has_failed(self, run_id: str) -> bool:
        """Whether this transaction lets the run fail."""
        return run_id in self._failed

    def take_open_steps(self, run_id: str) -> int:
        """The open steps of a run that is only now created; counted with it, not by `write_runs`."""
        opened = self._open_steps.pop(run_id, 0)
        if run_id in self._failed:
            self.count(run_id, 0)
        return opened

    def begun(self) -> frozenset[str]:
        """Those runs whose collected steps are not all untouched: one was done at once, or waits for the world."""
        return frozenset(step.run_id for step, _ in self._new if step.state not in UNTOUCHED_STEPS)

    def write_steps(self) -> None:
        """Insert the collected steps, write what inline work left, and ask the questions among them.

        Raises:
            Exception: the error of a refusal (see `EffectWriter.errors`): inline work returned effects that
                cannot be written; it has checked before, so this is a fault of that work, and nothing is written.
        """
        new, self._new = self._new, []
        effects, self._effects = self._effects, []
        for refusal in self.registry.writers.apply(self.work, [(0, effect) for effect in effects]).values():
            raise refusal.error
        if not new:
            return
        inserted = Steps(self.work).insert([step for step, _ in new], self.moments.database_now)
        self._ask(new, inserted)
        self.inserted.extend(inserted)

    def write_runs(self) -> None:
        """Count the open steps of the runs touched; complete or fail those that ended."""
        failed, self._failed = self._failed, {}
        opened, self._open_steps = self._open_steps, {}
        Runs(self.work).advance(
            [RunChange(run_id, delta, failed.get(run_id)) for run_id, delta in sorted(opened.items())]
        )
        if failed:
            self.registry.withdraw(self.work, Steps(self.work).cancel_open(list(failed)))

    def _run_inline(self, run: RunFacts, entered: Entered, action: Action, caused_by: int | None) -> None:
        step = entered.step
        if action.inline is None:
            raise ValueError(f"step '{step.id}' is inline and '{action.name}' has no inline form")
        outcome = action.inline(_entering(run, entered))
        self._effects.extend(outcome.effects)
        if isinstance(outcome, Park):
            self.count(run.run_id, 1)
            self._add(
                run,
                step,
                caused_by,
                state=StepState.PARKED,
                due_at=outcome.until,
                due_clock=outcome.clock if outcome.until else None,
                given=entered.input,
            )
            return
        if isinstance(outcome, Done):
            self._add(run, step, caused_by, state=StepState.DONE, output=outcome.output, given=entered.input)
            plan: Plan | None = planner.after_success(
                run.workflow, step.id, given=entered.input, output=outcome.output, variables=run.variables
            )
        else:
            error = _error_of(outcome)
            self._add(run, step, caused_by, state=StepState.FAILED, output=error, given=entered.input)
            plan = planner.after_failure(run.workflow, step.id, given=entered.input, error=error)
            if plan is None:
                self.fail(run.run_id, {**error, "step": step.id})
        if plan is not None:
            self.enter(run, plan, caused_by)

    def _create(self, run: RunFacts, entered: Entered, action: Action | None, caused_by: int | None) -> None:
        if action is not None:
            self._effects.extend(action.entering(_entering(run, entered)))
        priority = entered.step.priority or run.priority
        place = urgency(self.moments.database_now, priority) + run.behind
        state, due_at, due_clock = self._beginning(run, entered, place)
        self.count(run.run_id, 1)
        self._add(
            run,
            entered.step,
            caused_by,
            state=state,
            due_at=due_at,
            due_clock=due_clock,
            given=entered.input,
            place=place if state in _PLACED or entered.step.choice is not None else None,
        )

    def _add(
        self,
        run: RunFacts,
        step: Step,
        caused_by: int | None,
        *,
        state: StepState,
        given: Mapping[str, object] | None = None,
        output: Mapping[str, object] | None = None,
        due_at: datetime | None = None,
        due_clock: Clock | None = None,
        place: datetime | None = None,
    ) -> None:
        new = NewStep(
            run_id=run.run_id,
            subject_id=run.subject_id,
            node=step.id,
            kind=step.kind,
            queue=step.agent or None,
            action=f"{step.agent}.{step.action}" if step.action else None,
            state=state,
            held=run.held,
            priority=step.priority or run.priority,
            due_at=due_at,
            due_clock=due_clock,
            input=given or {},
            output=output,
            caused_by=caused_by,
            urgency=place,
            wanted=None if step.choice is None else asdict(step.choice),
        )
        self._new.append((new, step))

    def _beginning(
        self, run: RunFacts, entered: Entered, place: datetime
    ) -> tuple[StepState, datetime | None, Clock | None]:
        """The state a new step is created in, and the moment it waits for."""
        step, now = entered.step, self.moments
        if step.kind is Kind.HUMAN:
            if step.deadline_seconds is None:
                return StepState.PARKED, None, None
            return (
                StepState.PARKED,
                now.business_now + timedelta(seconds=step.deadline_seconds),
                Clock.BUSINESS,
            )
        if step.wait_seconds is not None:
            return (
                StepState.SCHEDULED,
                now.business_now + timedelta(seconds=step.wait_seconds),
                Clock.BUSINESS,
            )
        due = _moment(entered.input.get(step.not_before)) if step.not_before else None
        due = max(due or now.business_now, now.business_now)
        later = due > now.business_now or step.kind is Kind.WAIT
        if (run.manual and step.kind is Kind.ACTION) or (step.choice is not None and not later):
            return StepState.OFFERED, due + timedelta(seconds=OFFER_SECONDS), Clock.BUSINESS
        if later:
            return StepState.SCHEDULED, due, Clock.BUSINESS
        published = not run.held and self.room.take(step.agent, place)
        return (StepState.PUBLISHED if published else StepState.READY), None, None

    def _ask(self, new: Sequence[tuple[NewStep, Step]], inserted: Sequence[InsertedStep]) -> None:
        asked = {(row.run_id, row.node): (row, step) for row, step in new if step.kind is Kind.HUMAN}
        if asked:
            self.registry.ask(
                self.work,
                [
                    _question(row.step_id, *asked[row.run_id, row.node])
                    for row in inserted
                    if (row.run_id, row.node) in asked
                ],
            )

    def _action_of(self, step: Step) -> Action | None:
        return self.registry.get(f"{step.agent}.{step.action}") if step.action else None


def _question(step_id: int, row: NewStep, step: Step) -> Question:
    """The question a human step asks: why it is asked, in words, and the answers it accepts."""
    error = row.input.get("error")
    because: Mapping[str, object] = error if isinstance(error, Mapping) else {}
    return Question(
        step_id=step_id,
        run_id=row.run_id,
        subject_id=row.subject_id,
        node=row.node,
        reason=str(because.get("code") or row.input.get("review_reason") or row.node),
        text=str(because.get("message") or row.input.get("review_message") or step.title or row.node),
        context=dict(row.input),
        decisions=tuple(
            name for name, target in step.decisions.items() if target != ORIGIN or "origin" in row.input
        ),
        deadline_at=row.due_at,
    )


def _error_of(outcome: object) -> dict[str, object]:
    if isinstance(outcome, Failed):
        return {"code": outcome.code, "message": outcome.message}
    return {"code": "not_inline", "message": "an inline step may only be done, park or fail"}


def _entering(run: RunFacts, entered: Entered) -> Entering:
    return Entering(
        run_id=run.run_id,
        subject_id=run.subject_id,
        node=entered.step.id,
        title=entered.step.title or entered.step.id,
        input=entered.input,
        variables=run.variables,
    )


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None
