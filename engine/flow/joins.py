"""Joins: which branches are still waited for, and what goes on once all have come."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.flow.cancelling import Cancelling
from engine.flow.facts import RunFacts
from engine.flow.succession import Succession
from statemachine.workflow import planner
from statemachine.workflow.definition import Workflow
from statemachine.workflow.options.gateways import GatewayMode
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.arrivals import Arrivals, ArrivedFlows, JoinPlace, NewArrival
from storage.engine.flow.scopes import Scopes


@dataclass(slots=True)
class Joins:
    """Notes the branches that have come, and lets those go on that waited for them."""

    work: UnitOfWork
    succession: Succession
    cancelling: Cancelling

    def go_on(self) -> bool:
        """Let every join go on whose branches have come; whether a branch has come at all."""
        came, self.succession.arrivals = self.succession.arrivals, []
        came = [each for each in came if not self.succession.has_failed(each[0])]
        if not came:
            return False
        arrivals = Arrivals(self.work)
        runs: dict[JoinPlace, tuple[RunFacts, int | None]] = {}
        new = []
        for run, arrival, caused_by in came:
            place = JoinPlace(run.run_id, run.scope_id or 0, arrival.join)
            runs[place] = run, caused_by
            of_step = caused_by if arrival.own else None
            given = None if of_step is not None else arrival.given
            new.append(NewArrival(place, arrival.flow, of_step, given))
        arrivals.add(new)
        self._pass(runs)
        return True

    def ask_again(self, run: RunFacts) -> bool:
        """Let the inclusive joins of a run go on for which nothing further can come; whether one did."""
        found = False
        waiting = Arrivals(self.work).waiting([run.run_id])
        for place, flows in waiting.items():
            if place.scope_id != (run.scope_id or 0) or not _is_inclusive(run.workflow, place.node):
                continue
            if not self._may_come(run, place, flows):
                self._enter(run, None, place, Arrivals(self.work).take([place])[place])
                found = True
        return found

    def _pass(self, runs: Mapping[JoinPlace, tuple[RunFacts, int | None]]) -> None:
        """Let the joins at these places go on, round after round, as far as they can."""
        places = list(runs)
        while places:
            counts = Arrivals(self.work).count(places)
            full, early = [], []
            for place, found in counts.items():
                workflow = runs[place][0].workflow
                flows = len(workflow.flows[place.node])
                if found.flows >= flows:
                    full.append((place, found))
                elif not found.passed and _is_enough(workflow, place.node, found):
                    early.append(place)
            self._complete(runs, full)
            for place, brought in Arrivals(self.work).let_pass(early).items():
                self._go_early(runs, place, brought)
            places = [place for place, _ in full]

    def _complete(
        self,
        runs: Mapping[JoinPlace, tuple[RunFacts, int | None]],
        full: list[tuple[JoinPlace, ArrivedFlows]],
    ) -> None:
        """End a round to which every branch has come; where some went on before, the others are only let in."""
        for place, brought in Arrivals(self.work).take([place for place, _ in full]).items():
            run, caused_by = runs[place]
            if not dict(full)[place].passed:
                self._enter(run, caused_by, place, brought)

    def _go_early(
        self,
        runs: Mapping[JoinPlace, tuple[RunFacts, int | None]],
        place: JoinPlace,
        brought: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Go on with some of the branches; the others are cancelled, or let in when they come."""
        run, caused_by = runs[place]
        join = run.workflow.steps[place.node].join
        if join is not None and join.cancels:
            coming = run.workflow.coming[place.node].values()
            self.cancelling.branches(run, frozenset().union(*coming))
            Arrivals(self.work).take([place])
        self._enter(run, caused_by, place, brought)

    def _enter(
        self,
        run: RunFacts,
        caused_by: int | None,
        place: JoinPlace,
        brought: Mapping[str, Mapping[str, Any]],
    ) -> None:
        values = self.succession.data.values(run)
        self.succession.enter(run, planner.after_join(run.workflow, place.node, brought, values), caused_by)

    def _may_come(self, run: RunFacts, place: JoinPlace, flows: set[str]) -> bool:
        """Whether an open step of the scope reaches a flow that has not come, but through the join."""
        coming = run.workflow.coming[place.node]
        opened = Scopes(self.work).open_nodes(run.run_id, run.scope_id)
        return any(opened & coming[flow] for flow in coming if flow not in flows)


def _is_enough(workflow: Workflow, node: str, found: ArrivedFlows) -> bool:
    join = workflow.steps[node].join
    return join is not None and join.count is not None and found.flows >= join.count


def _is_inclusive(workflow: Workflow, node: str) -> bool:
    step = workflow.steps[node]
    return step.mode is GatewayMode.INCLUSIVE and step.join is not None and step.join.count is None
