"""Opens what is in a step once its row is there: scopes, the elements of loops, what was to be undone, called runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from engine.flow.facts import RunFacts
from engine.flow.rows import Pending
from engine.flow.succession import Succession
from statemachine.workflow import elements as looped
from statemachine.workflow import planner
from statemachine.workflow.definition import Kind, Step
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.filling import StepFault
from statemachine.workflow.options.loops import MOST_ITEMS, ForEach, Repeat
from statemachine.workflow.plan import Entered
from statemachine.workflow.planning import error_of
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.new_steps import InsertedStep
from storage.engine.flow.scopes import NewScope, ScopeRow, Scopes
from storage.engine.steps import StepRow


@dataclass(slots=True)
class Insides:
    """Opens the insides of steps that this transaction has created."""

    work: UnitOfWork
    succession: Succession
    called: list[tuple[InsertedStep, Pending]] = field(default_factory=list)
    """The steps that begin other runs."""

    def open(self, written: Sequence[tuple[InsertedStep, Pending]]) -> None:
        """Open what is in those of these rows that have an inside."""
        new: list[NewScope] = []
        entering: list[tuple[RunFacts, InsertedStep, Pending, Sequence[object] | None]] = []
        for row, pending in written:
            entered = pending.entered
            if entered is None:
                continue
            if entered.elements is None and pending.step.kind is Kind.WORKFLOW:
                self.called.append((row, pending))
            if entered.elements is None and pending.step.kind not in (Kind.SCOPE, Kind.COMPENSATE):
                continue
            scope = self._scope(row.step_id, pending)
            if pending.step.kind is Kind.COMPENSATE:
                scope = replace(scope, elements=self._done(pending))
            new.append(scope)
            entering.append((replace(pending.run, scope=_as_row(scope)), row, pending, scope.elements))
        if not new:
            return
        Scopes(self.work).open(new)
        for run, row, pending, elements in entering:
            self._enter(run, row, pending, elements)

    def more_elements(self, run: RunFacts, owner: StepRow, ended: int) -> None:
        """Begin as many further elements of a loop as have ended, as far as there are some."""
        scope = run.scope
        if scope is None or scope.elements is None:
            return
        step = planner.step_of(run.workflow, owner.node)
        first = scope.begun + self.succession.opened_scopes.get(scope.scope_id, (0, 0))[1]
        items = self._elements(scope.scope_id, first, scope.elements, ended)
        self._begin_elements(run, owner.step_id, step, owner.input, items, ended)

    def _elements(self, scope_id: int, first: int, end: int, room: int) -> Iterator[tuple[int, object]]:
        """The elements of a loop from one on, each with its place.

        As many as there is room for are read at once; of those that are begun after them more and more, for where
        elements fail as they are begun that may be any number.
        """
        while first < end:
            last = min(first + room, end)
            found = Scopes(self.work).elements([(scope_id, at) for at in range(first, last)])
            yield from ((at, found[scope_id, at]) for at in range(first, last))
            first, room = last, room * 2

    def compensate_run(self, run: RunFacts) -> None:
        """Undo what a run has done that is to be cancelled."""
        self.succession.create(replace(run, scope=None), Entered(step=planner.COMPENSATION, given={}), None)

    def _scope(self, scope_id: int, pending: Pending) -> NewScope:
        run, entered = pending.run, pending.entered
        bound = dict(pending.bound if pending.bound is not None else run.scope.bound if run.scope else {})
        if isinstance(pending.step.loop, Repeat) and entered is not None:
            bound["index"] = entered.index or 0
        return NewScope(
            scope_id=scope_id,
            run_id=run.run_id,
            node=pending.step.id,
            around=run.chain,
            bound=bound,
            elements=None if entered is None else entered.elements,
        )

    def _done(self, pending: Pending) -> list[int]:
        """The rows that a compensate step is to undo, the last one first."""
        run = pending.run
        steps = run.workflow.steps
        undone_by = {
            name: str(steps[name].compensation) for name in looped.to_compensate(run.workflow, pending.step)
        }
        return [step_id for step_id, _ in Scopes(self.work).done(run.run_id, run.scope_id, undone_by)]

    def _enter(
        self, run: RunFacts, row: InsertedStep, pending: Pending, elements: Sequence[object] | None
    ) -> None:
        """Enter the first steps of a scope, or the first elements of a loop."""
        entered = pending.entered
        # Looked at even if nothing is in it: it has ended then.
        self.succession.count(run, 0)
        if elements is None:
            values = self.succession.data.values(run)
            plan = planner.begin(
                run.workflow, values, scope=pending.step.id, given={} if entered is None else entered.input
            )
            self.succession.enter(run, plan, row.step_id)
            return
        if len(elements) > MOST_ITEMS:
            message = f"for_each goes through {len(elements):,} elements, and may through {MOST_ITEMS:,}"
            error = {"code": "invalid_input", "message": message, "step": pending.step.id}
            self.succession.fail(run, error)
            return
        limit = pending.step.loop.limit if isinstance(pending.step.loop, ForEach) else 1
        given = {} if entered is None else entered.given
        self._begin_elements(run, row.step_id, pending.step, given, enumerate(elements), limit)

    def _begin_elements(
        self,
        run: RunFacts,
        owner: int,
        step: Step,
        given: Mapping[str, Any],
        items: Iterator[tuple[int, object]],
        room: int,
    ) -> None:
        """Begin elements until there is no room for more, or none is left; one that fails at once takes none."""
        values = self.succession.data.values(run)
        begun = 0
        while room and (found := next(items, None)) is not None:
            at, item = found
            begun += 1
            try:
                if step.kind is Kind.COMPENSATE:
                    self._undo(run, int(str(item)), at)
                else:
                    entered = looped.element(run.workflow, step, given, values, item, at)
                    self.succession.create(run, entered, owner, looped.bound(step, values, item, at))
                room -= 1
            except (StepFault, ExpressionFault) as fault:
                error = error_of(fault)
                if isinstance(step.loop, ForEach):
                    self.succession.add_failed(run, looped.unfilled(step, item, at), owner, error)
                if not (isinstance(step.loop, ForEach) and step.loop.collects_errors):
                    self.succession.fail(run, {**error, "step": step.id})
                    return
        self.succession.count(run, 0, begun=begun)

    def _undo(self, run: RunFacts, done: int, at: int) -> None:
        """Begin the step that undoes one that is done."""
        node, given, output = Scopes(self.work).what_was_done(done)
        values = self.succession.data.values(run)
        undone = {"origin": node, "origin_input": dict(given), "output": dict(output)}
        entered = looped.compensation(run.workflow, node, undone, values)
        self.succession.create(run, replace(entered, index=at), done, dict(values.bound))


def _as_row(scope: NewScope) -> ScopeRow:
    return ScopeRow(
        scope_id=scope.scope_id,
        run_id=scope.run_id,
        node=scope.node,
        around=scope.around,
        open_steps=0,
        bound=scope.bound,
        begun=0,
        elements=None if scope.elements is None else len(scope.elements),
    )
