"""Replays of ended runs through a version of their workflow: nothing is done, and nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.catalogue import UnknownWorkflow
from engine.definitions.states import version_of
from engine.engine import Engine
from statemachine.workflow.definition import MalformedWorkflow, Workflow
from statemachine.workflow.states import OPEN_RUNS
from statemachine.workflow.versions.recorded import NotComparable
from statemachine.workflow.versions.replaying import Difference, replay
from storage.core.unit_of_work import UnitOfWork
from storage.engine.flow.migrated_runs import MigratedRuns
from storage.engine.flow.recorded_runs import MOST_STEPS, RecordedRuns
from storage.engine.runs import RunRow


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReplay:
    """What a replay says of one run."""

    run_id: str
    recorded_in: str | None
    """The version of the run; `None`: there is no such run."""
    difference: Difference | None = None
    not_comparable: str | None = None
    """Why nothing can be said."""

    @property
    def same(self) -> bool:
        """Whether it would go the same way."""
        return self.difference is None and self.not_comparable is None


def replay_runs(
    engine: Engine, workflow: str, version: str, runs: Sequence[str] | None, last: int
) -> list[RunReplay]:
    """Replay these runs through a version, or those that were begun last.

    Raises:
        MalformedWorkflow: the version cannot run here.
        UnknownVersion: there is no such version.
    """
    with engine.database.transaction() as work:
        version_of(work, workflow, version)
        after = engine.catalogue.version(work, workflow, version)
        ids = list(dict.fromkeys(runs)) if runs is not None else RecordedRuns(work).last(workflow, last)
        found = RecordedRuns(work).find(workflow, ids)
    replays = []
    for run_id in ids:
        # One run at a time is held in memory.
        with engine.database.transaction() as work:
            replays.append(_replayed(engine, work, found.get(run_id), run_id, after))
    return replays


def _replayed(
    engine: Engine, work: UnitOfWork, run: RunRow | None, run_id: str, after: Workflow
) -> RunReplay:
    if run is None:
        return RunReplay(
            run_id=run_id, recorded_in=None, not_comparable="there is no such run of the workflow"
        )
    try:
        difference = _difference(engine, work, run, after)
    except NotComparable as reason:
        return RunReplay(run_id=run_id, recorded_in=run.version, not_comparable=str(reason))
    return RunReplay(run_id=run_id, recorded_in=run.version, difference=difference)


def _difference(engine: Engine, work: UnitOfWork, run: RunRow, after: Workflow) -> Difference | None:
    if run.state in OPEN_RUNS:
        raise NotComparable("it has not ended")
    if MigratedRuns(work).history(run.run_id):
        raise NotComparable("it was migrated, and its steps were recorded in several versions")
    try:
        before = engine.catalogue.version(work, run.workflow, run.version)
    except (MalformedWorkflow, UnknownWorkflow) as error:
        raise NotComparable(f"its version {run.version} cannot be read any more") from error
    rows = RecordedRuns(work).steps(run.run_id)
    if len(rows) > MOST_STEPS:
        raise NotComparable(f"it has more than {MOST_STEPS:,} steps")
    return replay(before, after, run.run_id, run.variables, rows)
