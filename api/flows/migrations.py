"""The routes that let open runs go on in another version of their workflow, and replay ended ones through one."""

from typing import Literal

from fastapi import APIRouter

from api.flows.workflows import Name, Version
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.flows.migrations import (
    DifferenceView,
    MigrationAsked,
    MigrationDone,
    Replayed,
    RunMigrationView,
    RunReplayAsked,
    RunReplayView,
)
from tasks.flows.migration import Migration, migrate
from tasks.flows.replay import RunReplay, replay_runs

router = APIRouter(prefix="/workflows", tags=["workflows"], route_class=Route)


@router.post(
    "/{name}/migrations",
    summary="Let open runs go on in another version",
    # A run that has moved is of the new version: the same request again finds it there.
    dependencies=[requires(Scope.WORKFLOWS, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def migrate_runs(name: Name, body: MigrationAsked, parts: GivenParts, actor: Actor) -> MigrationDone:
    """A run moves whole, or says why not and stays as it is; what is open in it keeps its times and who holds it.

    A run in which an agent is at work answers `later`. With `dry_run` the answer is the same, and nothing changes.
    Names of steps, or versions, that fit no run are refused (409).
    """
    migration = Migration(
        workflow=name,
        before=body.before,
        after=body.after,
        steps=body.steps,
        runs=body.runs,
        following=body.next or "",
        dry_run=body.dry_run,
    )
    done = migrate(parts.engine, migration, actor)
    return MigrationDone(
        dry_run=body.dry_run,
        runs=[
            RunMigrationView(
                run_id=each.run_id, moved=each.moved, later=each.later, problems=list(each.problems)
            )
            for each in done.runs
        ],
        next=done.next,
    )


@router.post(
    "/{name}/versions/{version}/replay",
    summary="Say whether ended runs would go the same way in a version",
    dependencies=[requires(Scope.WORKFLOWS, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def replay_workflow(name: Name, version: Version, body: RunReplayAsked, parts: GivenParts) -> Replayed:
    """What was recorded goes through the version's planner: no action is done, and nothing is written.

    A draft can be asked as well.
    """
    return Replayed(
        runs=[_view(each) for each in replay_runs(parts.engine, name, version, body.runs, body.last)]
    )


def _view(found: RunReplay) -> RunReplayView:
    result: Literal["same", "differs", "not_comparable"] = "same"
    if found.not_comparable is not None:
        result = "not_comparable"
    elif found.difference is not None:
        result = "differs"
    different = found.difference
    return RunReplayView(
        run_id=found.run_id,
        recorded_in=found.recorded_in,
        result=result,
        difference=None
        if different is None
        else DifferenceView(step=different.after, then=list(different.then), now=list(different.now)),
        reason=found.not_comparable,
    )
