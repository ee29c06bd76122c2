"""Ends of scopes: what a step comes to in which nothing is open any more, or something has failed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.flow.ends import Ends
from engine.flow.inside.cancelling import Cancelling
from engine.flow.inside.joins import Joins
from engine.flow.run_data import RunData
from engine.flow.succession import Succession
from engine.outcomes import Done, Failed, Outcome
from statemachine.workflow.definition import Kind
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.options.loops import ForEach
from statemachine.workflow.states import StepState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.scopes import ScopeRow, Scopes
from storage.engine.steps import StepRow, Steps


@dataclass(slots=True)
class ScopeEnds:
    """Ends the steps whose insides have ended."""

    work: UnitOfWork
    data: RunData
    succession: Succession
    ends: Ends
    cancelling: Cancelling
    joins: Joins

    def fail(self) -> bool:
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
        self.end_owners([owner for owner in owners if owner.state is StepState.PARKED], outcomes)
        return True

    def end(self) -> bool:
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
            outcomes |= self._incomplete(owners)
            Scopes(self.work).close(empty)
            self.end_owners(owners, outcomes)
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

    def end_owners(self, owners: list[StepRow], outcomes: Mapping[int, Outcome]) -> None:
        """End these locked steps, and enter what follows them."""
        final = self.ends.plan(owners, outcomes)
        Steps(self.work).change([self.ends.change_of(owner, final[owner.step_id]) for owner in owners])
        self.ends.enter()

    def _incomplete(self, owners: Sequence[StepRow]) -> dict[int, Outcome]:
        """Of these steps those in which branches wait for others that never come: they have failed."""
        scopes = {owner.step_id for owner in owners if owner.kind != Kind.EACH}
        workflows = {owner.run_id: each for owner in owners if (each := self.ends.workflow(owner)).flows}
        found: dict[int, Outcome] = {}
        for place, error in self.joins.in_vain(workflows).items():
            if place.scope_id in scopes:
                found[place.scope_id] = Failed(code=str(error["code"]), message=str(error["message"]))
                self.cancelling.inside(place.run_id, [place.scope_id])
        return found
