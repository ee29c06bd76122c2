"""Ends of runs: counted, written with what they came to, and told to those who wait for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.catalogue import Catalogue
from engine.flow.events.after_commit import NOTHING_LEFT, AfterCommit
from engine.flow.events.sending import ends_of, sent_by
from engine.flow.inside.cancelling import Cancelling
from engine.flow.inside.joins import Joins
from engine.flow.run_data import RunData
from engine.flow.succession import MOST_STEPS_OF_A_RUN, Succession
from statemachine.workflow import planner
from statemachine.workflow.expression.calculation import ExpressionFault
from statemachine.workflow.options.sizes import OutputFault, require_output
from statemachine.workflow.planning import error_of
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import UnitOfWork
from storage.engine.runs import Runs
from storage.engine.triggers.inbox import Inbox

_ENDLESS: Final[Mapping[str, object]] = {
    "code": "endless",
    "message": f"the run has had more than {MOST_STEPS_OF_A_RUN:,} steps",
}


@dataclass(slots=True)
class RunEnds:
    """Counts the runs of a transaction, and does what their ends ask for."""

    work: UnitOfWork
    catalogue: Catalogue
    data: RunData
    succession: Succession
    cancelling: Cancelling
    joins: Joins
    ended: set[str] = field(default_factory=set)
    """The runs that have ended."""
    _entries: list[int] = field(default_factory=list)
    _told: set[str] = field(default_factory=set)

    def after_commit(self, awaited: Iterable[tuple[str, str]]) -> AfterCommit:
        """What is to be done once this is committed, where it began to wait for these messages."""
        awaited = tuple(awaited)
        ended = (self.succession.runs.get(run_id) for run_id in self.ended)
        calls_back = self.cancelling.asked or any(
            run is not None and run.parent_step_id is not None for run in ended
        )
        names = tuple(sorted(self.cancelling.slots.names))
        if not (calls_back or self._entries or awaited or names):
            return NOTHING_LEFT
        return AfterCommit(calls_back=calls_back, entries=tuple(self._entries), awaited=awaited, slots=names)

    def send(self) -> None:
        """Put into the inbox what was emitted, and the ends of runs that begin others."""
        emitted, self.succession.emitted = self.succession.emitted, []
        entries = [sent_by(run, each) for run, each in emitted]
        told = [
            self.succession.runs[each]
            for each in sorted(self.ended - self._told)
            if each in self.succession.runs
        ]
        self._told |= self.ended
        general = [run for run in told if run.subject_id is None]
        if general:
            entries += ends_of(self.work, self.catalogue, general)
        if entries:
            self._entries += [each.entry_id for each in Inbox(self.work).add(entries)]

    def count(self) -> None:
        """Count the runs; one that ends or cannot go on is ended with all that belongs to it."""
        advanced = self.succession.write_runs()
        ended = advanced.ended
        failing = dict.fromkeys(advanced.endless, _ENDLESS) | self._incomplete(ended)
        if failing:
            for run_id, error in failing.items():
                self.succession.fail_run(run_id, error)
            ended |= self.succession.write_runs().ended
        self.ended |= ended
        self._write_outputs(ended)
        cleared = [run_id for run_id in sorted(ended) if not self._is_plain(run_id)]
        if cleared:
            self.cancelling.runs(cleared)

    def _write_outputs(self, ended: Iterable[str]) -> None:
        """Write what runs came to whose definition says it."""
        for run_id in sorted(ended):
            run = self.succession.runs.get(run_id)
            if run is not None and run.workflow.options.output is not None:
                try:
                    output = planner.result(run.workflow, self.data.values(run), {})
                    require_output(self.data.texts.size(output))
                    Runs(self.work).write_output(run_id, self.data.texts.of(output))
                except (ExpressionFault, OutputFault) as fault:
                    error = {**error_of(fault), "step": "output"}
                    Runs(self.work).set_state([run_id], RunState.FAILED, ends=True, error=error)

    def _incomplete(self, ended: Iterable[str]) -> dict[str, Mapping[str, object]]:
        """Runs in which nothing is open, and branches wait for others that never come: they have failed."""
        known = (self.succession.runs.get(run_id) for run_id in ended)
        asked = {run.run_id: run.workflow for run in known if run is not None and run.workflow.flows}
        return {place.run_id: error for place, error in self.joins.in_vain(asked).items()}

    def _is_plain(self, run_id: str) -> bool:
        run = self.succession.runs.get(run_id)
        return run is not None and run.workflow.plain
