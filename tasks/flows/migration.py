"""Migrations: open runs of one version of a workflow go on in another, each in a transaction of its own, audited."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.definitions.states import UnknownVersion, version_of
from engine.engine import Engine
from engine.migrating import Migrating, RunMigration
from statemachine.workflow.states import DefinitionState
from statemachine.workflow.versions.version_change import VersionChange
from storage.access.system_audit import SystemAudit
from storage.core.unit_of_work import UnitOfWork
from storage.engine.definitions import Definitions
from storage.engine.flow.migrated_runs import MigratedRuns
from storage.engine.runs import Runs

MOST_RUNS: Final = 500
"""Runs that one request moves."""
MIGRATED: Final = "run_migrated"
"""What the audit log of the installation calls it."""


class UnusableChange(ValueError):
    """No run can move so: the versions or the names of steps do not fit; `problems` says why."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """Which runs are to go on in which version."""

    workflow: str
    before: str
    after: str
    steps: Mapping[str, str]
    """By step of the old version, what it is called in the new one; what is not named keeps its id."""
    runs: Sequence[str] | None = None
    """Their ids; `None`: every open run of the old version."""
    following: str = ""
    """Of all: those whose ids come after this one."""
    dry_run: bool = False
    """Whether it is only said what would become of them."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """What became of the runs, and behind which id the next request goes on."""

    runs: Sequence[RunMigration]
    next: str | None = None


def migrate(engine: Engine, migration: Migration, by: str) -> Migrated:
    """Move these runs, one after the other; one that cannot move is left as it is and says why.

    Raises:
        MalformedWorkflow: the new version cannot run here.
        UnknownVersion: there is no such version.
        UnusableChange: no run can move so.
    """
    with engine.database.transaction() as work:
        change = _change(engine, work, migration)
        ids, more = _wanted(work, migration)
    migrating = Migrating(engine.registry, change, by, migration.dry_run)
    moved = [_move(engine, migrating, run_id) for run_id in ids]
    return Migrated(moved, ids[-1] if more else None)


def _change(engine: Engine, work: UnitOfWork, migration: Migration) -> VersionChange:
    name, before, after = migration.workflow, migration.before, migration.after
    if before == after:
        raise UnusableChange([f"both versions are {before}"])
    for version in (before, after):
        found = version_of(work, name, version)
        if found.state is DefinitionState.DRAFT:
            raise UnusableChange([f"version {version} is a draft; activate it first"])
    body = Definitions(work).find(name, after)
    if body is None:
        raise UnknownVersion(f"there is no version {after} of a workflow '{name}'")
    engine.definition_rules.require(body, purposes=False)
    change = VersionChange(
        engine.catalogue.version(work, name, before),
        engine.catalogue.version(work, name, after),
        migration.steps,
    )
    if change.faults:
        raise UnusableChange(change.faults)
    return change


def _wanted(work: UnitOfWork, migration: Migration) -> tuple[list[str], bool]:
    """The runs that this request is about, and whether there are more."""
    if migration.runs is not None:
        return list(dict.fromkeys(migration.runs)), False
    found = MigratedRuns(work).open_of(
        migration.workflow, migration.before, after=migration.following, limit=MOST_RUNS + 1
    )
    return found[:MOST_RUNS], len(found) > MOST_RUNS


def _move(engine: Engine, migrating: Migrating, run_id: str) -> RunMigration:
    with engine.transaction() as transaction:
        done = migrating.move(transaction.work, run_id)
        if done.moved and not migrating.dry_run:
            (run,) = Runs(transaction.work).lock([run_id])
            detail = {
                "task_id": run.subject_id or run_id,
                "run_id": run_id,
                "workflow": run.workflow,
                "from": migrating.change.before.version,
                "to": run.version,
                "steps": dict(migrating.change.named),
            }
            SystemAudit(transaction.work).write(migrating.by, MIGRATED, detail)
        return done
