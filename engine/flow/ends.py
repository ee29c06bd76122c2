"""Plans what follows steps that have ended, and enters it once their rows say so."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine.catalogue import Catalogue
from engine.flow.facts import RunFacts
from engine.flow.inside.insides import Insides
from engine.flow.run_data import RunData
from engine.flow.succession import Succession
from engine.outcomes import Done, Failed, Outcome
from statemachine.workflow import elements, planner
from statemachine.workflow.definition import Kind, Step, Workflow
from statemachine.workflow.expression.template import ValueTemplate
from statemachine.workflow.failures import what_ended
from statemachine.workflow.filling import StepFault
from statemachine.workflow.options.loops import ForEach
from statemachine.workflow.plan import Plan
from statemachine.workflow.states import RunState, StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.clock import Moments
from storage.engine.flow.scopes import ScopeRow, Scopes
from storage.engine.steps import StepChange, StepRow, Steps
from storage.engine.urgency import still_behind


@dataclass(slots=True)
class Ends:
    """What the ends of locked steps lead to."""

    work: UnitOfWork
    catalogue: Catalogue
    moments: Moments
    data: RunData
    succession: Succession
    insides: Insides
    touched: dict[tuple[str, int | None], RunFacts] = field(default_factory=dict)
    """The runs and scopes in which a step has ended, where a join may ask whether further ones come."""
    ended_waits: list[int] = field(default_factory=list)
    """Ended steps that may have waited for something."""
    ended_slots: list[int] = field(default_factory=list)
    """Ended steps that had a slot of a limit."""
    _scopes: dict[int, ScopeRow] = field(default_factory=dict)
    _planned: list[tuple[StepRow, RunFacts, Plan]] = field(default_factory=list)
    _elements: dict[int, tuple[RunFacts, int]] = field(default_factory=dict)
    _items: Mapping[tuple[int, int], Any] = field(default_factory=dict)
    """The elements that ended and are read again, by scope and place."""

    def plan(self, rows: Sequence[StepRow], outcomes: Mapping[int, Outcome]) -> dict[int, Outcome]:
        """Plan what follows these ends; a step whose output cannot be used has failed instead."""
        self.find_scopes(rows)
        final = {row.step_id: self.data.bounded(outcomes[row.step_id], row.kind) for row in rows}
        done = [row for row in rows if isinstance(final[row.step_id], Done)]
        self._items = Scopes(self.work).elements(
            [(int(row.scope_id or 0), int(row.element or 0)) for row in done if self._needs_item(row)]
        )
        for row in rows:
            outcome = final[row.step_id]
            if isinstance(outcome, Failed):
                self._after_failure(row, outcome)
        for row in rows:
            outcome = final[row.step_id]
            if isinstance(outcome, Done):
                failed = self._after_success(row, outcome)
                if failed is not None:
                    final[row.step_id] = failed
                    self._after_failure(row, failed)
        return final

    def enter(self) -> None:
        """Create what was planned, now that the rows of the ended steps are written."""
        planned, self._planned = self._planned, []
        for row, run, plan in planned:
            self.succession.enter(run, plan, row.step_id)
        elements, self._elements = self._elements, {}
        for scope_id, (run, ended) in elements.items():
            (owner,) = Steps(self.work).lock([scope_id])
            self.insides.more_elements(run, owner, ended)

    def run_of(self, row: StepRow) -> RunFacts:
        """The run of a locked step, seen from the scope where the step lies."""
        return RunFacts(
            run_id=row.run_id,
            subject_id=row.subject_id,
            workflow=self.workflow(row),
            variables=row.variables,
            priority=row.run_priority,
            held=row.run_state is RunState.PAUSED,
            behind=still_behind(row.urgency, row.priority, self.moments.database_now),
            manual=row.run_manual,
            scope=None if row.scope_id is None else self._scopes[row.scope_id],
            written=row.written or {},
            created_by=row.run_created_by,
            parent_step_id=row.parent_step_id,
            depth=row.run_depth,
            trace_id=row.trace_id,
        )

    def workflow(self, row: StepRow) -> Workflow:
        """The definition of a step's run."""
        return self.catalogue.version(self.work, row.workflow, row.version)

    def find_scopes(self, rows: Iterable[StepRow]) -> None:
        """Read the scopes of these steps, if they have not been read."""
        wanted = {row.scope_id for row in rows if row.scope_id is not None} - self._scopes.keys()
        if wanted:
            self._scopes |= Scopes(self.work).find(sorted(wanted))

    def touch(self, runs: Iterable[RunFacts]) -> None:
        """Let the joins be asked again that lie where these stand."""
        self.touched |= {(run.run_id, run.scope_id): run for run in runs if run.workflow.coming}

    def note_begun(self, begun: Mapping[int, int]) -> None:
        """Note how many elements have been begun in these scopes."""
        self._scopes |= {
            scope_id: replace(self._scopes[scope_id], begun=number)
            for scope_id, number in begun.items()
            if scope_id in self._scopes
        }

    def change_of(self, row: StepRow, outcome: Outcome) -> StepChange:
        """What becomes of the row of a step that is done or has failed."""
        error = outcome.as_error() if isinstance(outcome, Failed) else None
        return StepChange(
            step_id=row.step_id,
            state=StepState.DONE if error is None else StepState.FAILED,
            delivery=row.delivery,
            tries=row.tries,
            output=self.data.texts.of(outcome.output) if isinstance(outcome, Done) else None,
            error=error,
        )

    def _after_failure(self, row: StepRow, outcome: Failed) -> None:
        run = self._ended(row)
        error = outcome.as_error()
        if (loop := _loop_of_element(row, run)) is not None:
            if loop.collects_errors:
                self._element_ended(run)
            else:
                self.succession.fail(run, {**error, "step": row.node})
            return
        plan = planner.after_failure(
            run.workflow, row.node, given=row.input, error=error, values=self.data.values(run)
        )
        if plan is None:
            self.succession.fail(run, {**error, "step": row.node})
        else:
            self._planned.append((row, run, plan))

    def _after_success(self, row: StepRow, outcome: Done) -> Failed | None:
        run = self.run_of(row)
        ended, returned = what_ended(row.node, row.input, outcome.output)
        self.data.ended(run, ended, returned)
        try:
            if (loop := _loop_of_element(row, run)) is not None:
                self._after_element(row, run, loop, outcome.output)
            else:
                plan = planner.after_success(
                    run.workflow,
                    row.node,
                    given=row.input,
                    output=outcome.output,
                    values=self.data.values(run),
                    index=row.element,
                )
                if self.succession.has_failed(run):
                    # What it has saved stays; nothing follows it.
                    self.data.write(run, [each for each in plan.writes if each.node == row.node])
                else:
                    self.data.write(run, plan.writes)
                    self._planned.append((row, run, replace(plan, writes=[])))
        except StepFault as fault:
            return Failed(code=fault.code, message=str(fault))
        self._ended(row)
        if ended != row.node:
            Steps(self.work).give_output(run.run_id, run.scope_id, ended, returned)
        return None

    def _after_element(self, row: StepRow, run: RunFacts, loop: ForEach, output: Mapping[str, Any]) -> None:
        step = run.workflow.steps[row.node]
        last = False
        if _reads_item(step, loop):
            place = (int(row.scope_id or 0), int(row.element or 0))
            item = self._items[place]
            values = self.data.values(run, elements.bound(step, self.data.values(run), item, place[1]))
            done = elements.after_element(run.workflow, step, output, values)
            self.data.write(run, done.writes)
            last = done.last
        if last and run.scope is not None:
            self._elements.pop(run.scope.scope_id, None)
            self.succession.begin_no_more(run)
        else:
            self._element_ended(run)

    def _needs_item(self, row: StepRow) -> bool:
        """Whether the element is read again once this step is done."""
        if row.scope_id is None:
            return False
        run = self.run_of(row)
        loop = _loop_of_element(row, run)
        return loop is not None and _reads_item(run.workflow.steps[row.node], loop)

    def _element_ended(self, run: RunFacts) -> None:
        scope = run.scope
        if scope is not None and scope.elements is not None and scope.begun < scope.elements:
            self._elements[scope.scope_id] = run, self._elements.get(scope.scope_id, (run, 0))[1] + 1

    def _ended(self, row: StepRow) -> RunFacts:
        """Count a step that has ended."""
        run = self.run_of(row)
        self.succession.count(run, -1)
        self.touch([run])
        if not run.workflow.plain and planner.step_of(run.workflow, row.node).subscribes:
            self.ended_waits.append(row.step_id)
        step = planner.step_of(run.workflow, row.node)
        if step.concurrency is not None or step.rate is not None:
            self.ended_slots.append(row.step_id)
        return run


_ONE_BY_ONE: Final = ForEach(items=ValueTemplate.of([]), limit=1)
"""How what is done is undone."""


def _reads_item(step: Step, loop: ForEach) -> bool:
    return bool(step.writes) or loop.until is not None


def _loop_of_element(row: StepRow, run: RunFacts) -> ForEach | None:
    """The loop of which this row is an element."""
    if run.scope is None or run.scope.elements is None or row.kind == Kind.EACH:
        return None
    step = planner.step_of(run.workflow, run.scope.node)
    return step.loop if isinstance(step.loop, ForEach) else _ONE_BY_ONE
