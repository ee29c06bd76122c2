"""Creates what follows ended steps: successors, gateways, inline steps, questions, the run's count of open steps."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from engine.actions import Action
from engine.flow.beginnings import Beginning, beginning
from engine.flow.facts import RunFacts
from engine.flow.questions import question
from engine.flow.rows import Pending, RowContent, entering, new_row
from engine.flow.run_data import RunData
from engine.outcomes import Done, Failed, Park
from engine.registry import Registry
from engine.room import Room
from runtime.durations import UnreadableTime, require_time
from runtime.ids import Prefix, new_id
from schemas.core.effects import Effect
from statemachine.workflow import planner
from statemachine.workflow.definition import Kind, Step
from statemachine.workflow.filling import StepFault
from statemachine.workflow.plan import Arrived, Emitted, Entered, Failing, Plan
from statemachine.workflow.states import UNTOUCHED_STEPS, StepState
from statemachine.workflow.step import StopRule
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import Moments
from storage.engine.flow.new_steps import InsertedStep, NewSteps
from storage.engine.runs import AdvancedRuns, RunChange, Runs
from storage.engine.steps import Steps
from storage.engine.urgency import urgency

MOST_STEPS_OF_A_RUN = 100_000
"""Steps after which a run is taken for one that never ends."""


@dataclass(slots=True)
class Succession:
    """Collects the steps a transaction creates and writes them with one statement a table."""

    work: UnitOfWork
    registry: Registry
    room: Room
    moments: Moments
    data: RunData
    inserted: list[InsertedStep] = field(default_factory=list)
    arrivals: list[tuple[RunFacts, Arrived, int | None]] = field(default_factory=list)
    """Branches that have come to where they wait for one another, each with the step whose output it brings."""
    stops: list[tuple[RunFacts, Step, StopRule]] = field(default_factory=list)
    emitted: list[tuple[RunFacts, Emitted]] = field(default_factory=list)
    failed_scopes: dict[int, Mapping[str, object]] = field(default_factory=dict)
    """The scopes that fail, each with its error."""
    opened_scopes: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By scope, how many steps were opened less those that ended, and how many elements were begun."""
    runs: dict[str, RunFacts] = field(default_factory=dict)
    """The runs of which a step was opened or has ended, seen from outside of their scopes."""
    _new: list[Pending] = field(default_factory=list)
    _effects: list[Effect] = field(default_factory=list)
    _open_steps: dict[str, int] = field(default_factory=dict)
    _made: dict[str, int] = field(default_factory=dict)
    _failed: dict[str, Mapping[str, object]] = field(default_factory=dict)

    def enter(self, run: RunFacts, plan: Plan, caused_by: int | None = None) -> None:
        """Create the steps of a plan; inline steps run here, with their successors."""
        self.data.write(run, plan.writes)
        for passed in plan.passed:
            if isinstance(passed, Failing):
                self._add(
                    run, passed.step, caused_by, Beginning(StepState.FAILED), RowContent(error=passed.error)
                )
            else:
                # What a `set` step returns was measured as it was written.
                output = self.data.stored(passed.output) if passed.step.writes else passed.output
                self._add(run, passed.step, caused_by, Beginning(StepState.DONE), RowContent(output=output))
        self.emitted += [(run, each) for each in plan.emitted]
        self.arrivals += [(run, each, caused_by) for each in plan.arrived]
        self.stops += [(run, step, stop) for step, stop in plan.stops]
        if plan.error is not None:
            self.fail(run, plan.error)
        for entered in plan.entered:
            action = self._action_of(entered.step)
            if entered.step.inline and action is not None and action.inline is not None:
                self._run_inline(run, entered, action, caused_by)
            else:
                self.create(run, entered, caused_by)

    def count(self, run: RunFacts, delta: int, *, begun: int = 0) -> None:
        """Add to the number of open steps of the scope, or of the run outside of all scopes."""
        if run.scope is None:
            self.runs[run.run_id] = run
            self.count_run(run.run_id, delta)
            return
        self.runs.setdefault(run.run_id, replace(run, scope=None))
        opened, elements = self.opened_scopes.get(run.scope.scope_id, (0, 0))
        self.opened_scopes[run.scope.scope_id] = opened + delta, elements + begun
        self.count_run(run.run_id, 0)

    def drop(self, run: RunFacts, nodes: Collection[str]) -> None:
        """Let those of these steps that are not yet written be cancelled ones, and what comes from them not come."""
        for at, each in enumerate(self._new):
            if each.entered is not None and _stands(each.run, run) and each.step.id in nodes:
                self._new[at] = Pending(replace(each.row, state=StepState.CANCELLED), each.step, each.run)
                self.count(run, -1)
        self.arrivals = [
            each for each in self.arrivals if not (_stands(each[0], run) and each[1].flow in nodes)
        ]

    def begin_no_more(self, run: RunFacts) -> None:
        """Count those elements of a loop as begun that are not to be."""
        if run.scope is not None and run.scope.elements is not None:
            begun = run.scope.begun + self.opened_scopes.get(run.scope.scope_id, (0, 0))[1]
            self.count(run, 0, begun=run.scope.elements - begun)

    def count_run(self, run_id: str, delta: int) -> None:
        """Add to the number of open steps of a run that lie in no scope."""
        self._open_steps[run_id] = self._open_steps.get(run_id, 0) + delta

    def fail(self, run: RunFacts, error: Mapping[str, object]) -> None:
        """Let the scope fail, or the run where there is none; its other open steps are cancelled then."""
        if run.scope is not None:
            self.failed_scopes.setdefault(run.scope.scope_id, error)
        else:
            self.fail_run(run.run_id, error)

    def fail_run(self, run_id: str, error: Mapping[str, object]) -> None:
        """Let a run fail."""
        self._failed.setdefault(run_id, error)
        self.count_run(run_id, 0)

    def has_failed(self, run: RunFacts) -> bool:
        """Whether this transaction lets the run fail, or a scope in which this is."""
        return run.run_id in self._failed or any(scope in self.failed_scopes for scope in run.chain)

    def take_open_steps(self, run_id: str) -> int:
        """The open steps of a run that is only now created; counted with it, not by `write_runs`."""
        opened = self._open_steps.pop(run_id, 0)
        if run_id in self._failed or not opened:
            self.count_run(run_id, 0)
        return opened

    def begun(self) -> frozenset[str]:
        """Those runs whose collected steps are not all untouched: one was done at once, or waits for the world."""
        return frozenset(each.row.run_id for each in self._new if each.row.state not in UNTOUCHED_STEPS)

    def write_steps(self) -> list[tuple[InsertedStep, Pending]]:
        """Insert the collected steps, write what inline work left, and ask the questions among them.

        Returns:
            Those that were entered, in their order.

        Raises:
            Exception: the error of a refusal (see `EffectWriter.errors`): inline work returned effects that
                cannot be written; it has checked before, so this is a fault of that work, and nothing is written.
        """
        new, self._new = self._new, []
        effects, self._effects = self._effects, []
        for refusal in self.registry.writers.apply(self.work, [(0, effect) for effect in effects]).values():
            raise refusal.error
        if not new:
            return []
        inserted = NewSteps(self.work).insert([each.row for each in new], self.moments.database_now)
        self.inserted.extend(inserted)
        written = [(row, each) for row, each in zip(inserted, new, strict=True) if each.entered is not None]
        asked = [
            question(row.step_id, each.interrupt_id, each.row, each.step)
            for row, each in written
            if each.interrupt_id is not None
        ]
        if asked:
            self.registry.ask(self.work, asked)
        return written

    def write_runs(self) -> AdvancedRuns:
        """Count the open steps of the runs touched; complete or fail those that ended."""
        failed, self._failed = self._failed, {}
        opened, self._open_steps = self._open_steps, {}
        made, self._made = self._made, {}
        changes = [
            RunChange(run_id, delta, failed.get(run_id), made.get(run_id, 0))
            for run_id, delta in sorted(opened.items())
        ]
        advanced = Runs(self.work).advance(changes, MOST_STEPS_OF_A_RUN)
        if failed:
            self.registry.withdraw(self.work, Steps(self.work).cancel_open(list(failed)))
        return advanced

    def create(
        self,
        run: RunFacts,
        entered: Entered,
        caused_by: int | None,
        bound: Mapping[str, object] | None = None,
    ) -> None:
        """Create a step that takes time.

        Raises:
            StepFault: it is an element of a loop, and a time in it cannot be read; nothing was created.
        """
        priority = entered.step.priority or run.priority
        place = urgency(self.moments.database_now, priority) + run.behind
        try:
            first = beginning(run, entered, place, self.moments, self.room)
            for wait in entered.waits:
                require_time(self.moments.business_now, wait.timer)
        except UnreadableTime as error:
            if run.scope is not None and run.scope.elements is not None:
                raise StepFault("invalid_input", str(error)) from error
            self._fail_entered(run, entered, caused_by, {"code": "invalid_input", "message": str(error)})
            return
        action = self._action_of(entered.step)
        asks = entered.step.kind == Kind.HUMAN and entered.elements is None
        interrupt_id = new_id(Prefix.REVIEW) if asks else None
        if action is not None and entered.elements is None:
            until = first.due_at if asks else None
            self._effects.extend(action.entering(entering(run, entered, interrupt_id, until)))
        self.count(run, 1)
        row = new_row(run, entered.step, caused_by, first, RowContent(entered=entered, place=place))
        self._collect(Pending(row, entered.step, run, entered, bound, interrupt_id))

    def add_failed(
        self, run: RunFacts, entered: Entered, caused_by: int | None, error: Mapping[str, object]
    ) -> None:
        """Add the row of a step that has failed before it began; nothing follows from that here."""
        content = RowContent(error=error, entered=entered)
        self._add(run, entered.step, caused_by, Beginning(StepState.FAILED), content)

    def _fail_entered(
        self, run: RunFacts, entered: Entered, caused_by: int | None, error: Mapping[str, object]
    ) -> None:
        """Note that a step has failed before it began."""
        step = entered.step
        self._add(run, step, caused_by, Beginning(StepState.FAILED), RowContent(error=error))
        plan = planner.after_failure(
            run.workflow, step.id, given=entered.input, error=error, values=self.data.values(run)
        )
        if plan is None:
            self.fail(run, {**error, "step": step.id})
        else:
            self.enter(run, plan, caused_by)

    def _run_inline(self, run: RunFacts, entered: Entered, action: Action, caused_by: int | None) -> None:
        step = entered.step
        if action.inline is None:
            raise ValueError(f"step '{step.id}' is inline and '{action.name}' has no inline form")
        outcome = self.data.bounded(action.inline(entering(run, entered)), step.kind)
        self._effects.extend(outcome.effects)
        if isinstance(outcome, Park):
            self.count(run, 1)
            parked = Beginning(StepState.PARKED, outcome.until, outcome.clock if outcome.until else None)
            self._add(run, step, caused_by, parked, RowContent(entered=entered))
            return
        values = self.data.values(run)
        if isinstance(outcome, Done):
            self._add(
                run,
                step,
                caused_by,
                Beginning(StepState.DONE),
                RowContent(output=self.data.texts.of(outcome.output), entered=entered),
            )
            plan: Plan | None = planner.after_success(
                run.workflow, step.id, given=entered.input, output=outcome.output, values=values
            )
        else:
            error = _error_of(outcome)
            self._add(
                run, step, caused_by, Beginning(StepState.FAILED), RowContent(error=error, entered=entered)
            )
            plan = planner.after_failure(
                run.workflow, step.id, given=entered.input, error=error, values=values
            )
            if plan is None:
                self.fail(run, {**error, "step": step.id})
        if plan is not None:
            self.enter(run, plan, caused_by)

    def _add(
        self, run: RunFacts, step: Step, caused_by: int | None, first: Beginning, content: RowContent
    ) -> None:
        """Collect a row of a step that nothing is to be done for."""
        self._collect(Pending(new_row(run, step, caused_by, first, content), step, run))

    def _collect(self, pending: Pending) -> None:
        self._made[pending.run.run_id] = self._made.get(pending.run.run_id, 0) + 1
        self._new.append(pending)

    def _action_of(self, step: Step) -> Action | None:
        return self.registry.get(f"{step.agent}.{step.action}") if step.agent and step.action else None


def _stands(one: RunFacts, other: RunFacts) -> bool:
    """Whether two stand in the same scope of the same run."""
    return (one.run_id, one.scope_id) == (other.run_id, other.scope_id)


def _error_of(outcome: object) -> dict[str, object]:
    if isinstance(outcome, Failed):
        return outcome.as_error()
    return {"code": "not_inline", "message": "an inline step may only be done, park or fail"}
