"""Runs of a definition of a test that go on in its next version."""

from typing import Any

from engine.migrating import RunMigration
from storage.engine.definitions import Definitions
from storage.engine.runs import RunRow, Runs
from tasks.flows.migration import Migrated, Migration, migrate
from tests.support.engine.written_runs import WrittenRuns, body_of


def know(runs: WrittenRuns, written: str, version: str = "2", name: str = "tried") -> None:
    """Keep a further version of a definition, active."""
    body = body_of(written) | {"workflow": name, "version": version}
    with runs.house.database.transaction() as work:
        Definitions(work).register(name, version, body)


def to_next(tried: WrittenRuns, **changes: Any) -> Migrated:
    """Let runs of version 1 go on in version 2."""
    asked = {"workflow": "tried", "before": "1", "after": "2", "steps": {}} | changes
    return migrate(tried.house.engine, Migration(**asked), by="王芳")


def move(runs: WrittenRuns, run_id: str, **steps: str) -> RunMigration:
    """Let one run go on in version 2, its steps under these names; the dry run before says the same."""
    tried = to_next(runs, runs=[run_id], steps=steps, dry_run=True).runs
    (done,) = to_next(runs, runs=[run_id], steps=steps).runs
    assert [done] == list(tried)
    return done


def row_of(runs: WrittenRuns, run_id: str) -> RunRow:
    """A run as it stands."""
    with runs.house.database.transaction() as work:
        (run,) = Runs(work).lock([run_id])
    return run
