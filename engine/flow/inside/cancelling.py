"""Cancels steps, and all that belongs to them: what is in them, their questions, what they wait for."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from engine.flow.facts import RunFacts
from engine.flow.slot_requests import SlotRequests
from engine.flow.succession import Succession
from engine.registry import Registry
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.arrivals import Arrivals
from storage.engine.flow.called_runs import BegunRuns
from storage.engine.flow.run_remains import RunRemains
from storage.engine.flow.scopes import Scopes
from storage.engine.flow.subscriptions import Subscriptions
from storage.engine.steps import StepRow


@dataclass(slots=True)
class Cancelling:
    """Cancels parts of locked runs."""

    work: UnitOfWork
    registry: Registry
    succession: Succession
    slots: SlotRequests
    asked: bool = False
    """Whether runs are to be cancelled that cancelled steps have begun."""

    def step(self, row: StepRow) -> None:
        """Note that this step is cancelled, whose row its caller changes."""
        self._clear(row.run_id, [], [row.step_id])

    def runs(self, run_ids: Sequence[str]) -> None:
        """Clear away what belongs to these runs, which have ended; their open steps are cancelled."""
        cleared = RunRemains(self.work).clear(run_ids)
        self.asked |= cleared.asked
        self.slots.names |= cleared.slots

    def inside(self, run_id: str, scope_ids: Sequence[int]) -> None:
        """Cancel what is in these scopes, and close them."""
        cancelled = Scopes(self.work).cancel(scope_ids)
        self._clear(run_id, [*cancelled, *scope_ids], cancelled)

    def branches(self, run: RunFacts, nodes: Collection[str]) -> None:
        """Cancel the open rows of these steps in the scope where the run stands, and the branches that wait at them."""
        self.succession.drop(run, nodes)
        Arrivals(self.work).clear_nodes(run.run_id, run.scope_id, nodes)
        rows = Scopes(self.work).cancel_nodes(run.run_id, run.scope_id, nodes)
        cancelled = [step_id for step_id, _ in rows]
        self.succession.count(run, -sum(scope_id == run.scope_id for _, scope_id in rows))
        self._clear(run.run_id, cancelled, cancelled)

    def all_in(self, run: RunFacts) -> None:
        """Cancel every open step of the scope where the run stands; outside of all, of the run."""
        if run.scope is not None:
            nodes = Scopes(self.work).open_nodes(run.run_id, run.scope_id)
            self.branches(run, nodes)
            Arrivals(self.work).clear(run.run_id, [run.scope.scope_id])
            return
        Arrivals(self.work).clear_runs([run.run_id])
        rows = Scopes(self.work).cancel_run(run.run_id)
        cancelled = [step_id for step_id, _ in rows]
        self.succession.count(run, -sum(scope_id is None for _, scope_id in rows))
        self._clear(run.run_id, cancelled, cancelled)

    def _clear(self, run_id: str, scope_ids: Sequence[int], cancelled: Sequence[int]) -> None:
        if cancelled:
            self.asked |= BegunRuns(self.work).ask_cancel(cancelled)
        if scope_ids:
            Scopes(self.work).close(scope_ids)
            Arrivals(self.work).clear(run_id, scope_ids)
        for scope_id in scope_ids:
            self.succession.opened_scopes.pop(scope_id, None)
            self.succession.failed_scopes.pop(scope_id, None)
        if cancelled:
            Subscriptions(self.work).end_of_steps(cancelled)
            self.slots.release_steps(cancelled)
            self.registry.withdraw(self.work, cancelled)
