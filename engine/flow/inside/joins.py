"""Joins: which branches are still waited for, and what goes on once all have come."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.flow.facts import RunFacts
from engine.flow.inside.cancelling import Cancelling
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
        """Let those inclusive joins of a run go on for which nothing further can come; whether one did."""
        coming = run.workflow.coming
        missing = {
            place: frozenset().union(
                *(those for flow, those in coming[place.node].items() if flow not in flows)
            )
            for place, flows in Arrivals(self.work).waiting([run.run_id]).items()
            if place.scope_id == (run.scope_id or 0) and _is_inclusive(run.workflow, place.node)
        }
        if not missing:
            return False
        opened = Scopes(self.work).open_nodes(run.run_id, run.scope_id)
        asked = {place: those for place, those in missing.items() if not opened & those}
        # One whose branch leads on to another goes first: the other can still be reached.
        nodes = {place.node for place in asked}
        first = [place for place, those in asked.items() if not (nodes - {place.node}) & those]
        for place in first or list(asked)[:1]:
            self._enter(run, None, place, Arrivals(self.work).take([place])[place])
        return bool(asked)

    def in_vain(self, workflows: Mapping[str, Workflow]) -> dict[JoinPlace, Mapping[str, object]]:
        """Where branches of these runs wait for all the others, each with the error if these cannot come any more."""
        found: dict[JoinPlace, Mapping[str, object]] = {}
        for place, flows in (Arrivals(self.work).waiting(list(workflows)) if workflows else {}).items():
            workflow = workflows[place.run_id]
            step = workflow.steps[place.node]
            if step.join is not None and step.join.count is None and not step.needs:
                missing = ", ".join(sorted(set(workflow.flows[place.node]) - flows))
                message = f"branches wait at '{place.node}', and nothing comes any more from {missing}"
                found[place] = {"code": "join_incomplete", "message": message, "step": place.node}
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
                self._cancel_rest(run, place)
                self._enter(run, caused_by, place, brought)

    def _go_early(
        self,
        runs: Mapping[JoinPlace, tuple[RunFacts, int | None]],
        place: JoinPlace,
        brought: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """Go on with some of the branches; the others are cancelled, or let in when they come."""
        run, caused_by = runs[place]
        if self._cancel_rest(run, place):
            Arrivals(self.work).take([place])
        self._enter(run, caused_by, place, brought)

    def _cancel_rest(self, run: RunFacts, place: JoinPlace) -> bool:
        """Cancel what is still open of the branches that lead to a join, where it has that done."""
        join = run.workflow.steps[place.node].join
        if join is None or not join.cancels:
            return False
        self.cancelling.branches(run, frozenset().union(*run.workflow.coming[place.node].values()))
        return True

    def _enter(
        self,
        run: RunFacts,
        caused_by: int | None,
        place: JoinPlace,
        brought: Mapping[str, Mapping[str, Any]],
    ) -> None:
        values = self.succession.data.values(run)
        self.succession.enter(run, planner.after_join(run.workflow, place.node, brought, values), caused_by)


def _is_enough(workflow: Workflow, node: str, found: ArrivedFlows) -> bool:
    join = workflow.steps[node].join
    return join is not None and join.count is not None and found.flows >= join.count


def _is_inclusive(workflow: Workflow, node: str) -> bool:
    step = workflow.steps[node]
    return step.mode is GatewayMode.INCLUSIVE and step.join is not None and step.join.count is None
