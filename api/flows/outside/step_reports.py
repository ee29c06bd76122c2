"""The routes by which an outside agent reports on a step that it was given."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path

from api.flows.outside.desk import GivenDesk, OutsideDesk
from api.flows.outside.own_agents import speaks_for
from api.server.authentication import requires
from api.server.errors import documented
from api.server.route import Route
from api.server.services import Caller, GivenParts
from engine.outcomes import Done, Failed, Outcome, TryAgain
from engine.outside import StepReport
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.flows.outside_work import (
    StepCompleted,
    StepFailed,
    StepHeartbeat,
    StepHeartbeatTaken,
    StepReleased,
    StepReported,
)
from statemachine.workflow.states import StepState
from storage.access.keys import Key
from tasks.flows.outside_work import renew

router = APIRouter(prefix="/steps", tags=["agents"], route_class=Route)

_LARGEST_ID: Final = 2**63 - 1
StepId = Annotated[int, Path(ge=1, le=_LARGEST_ID, description="The step, as the poll named it.")]
_REPORTS: Final = documented(Code.NOT_FOUND, Code.STATE_CONFLICT)
_OUTCOMES: Final[Mapping[StepState, Literal["completed", "failed"]]] = MappingProxyType(
    {StepState.DONE: "completed", StepState.FAILED: "failed"}
)
# The lease tells a report from its repetition.
_WORKS: Final = requires(Scope.ACTIONS, repeatable=True)


@router.post(
    "/{step_id}/heartbeat",
    summary="Keep a step",
    dependencies=[_WORKS],
    responses=_REPORTS,
)
def keep_step(step_id: StepId, body: StepHeartbeat, parts: GivenParts, caller: Caller) -> StepHeartbeatTaken:
    """Prolongs the lease, and keeps `progress`; `cancelled`: nobody waits for the step any more, so leave it.

    Every third of `lease_seconds` is often enough. A lease that has run out and was not prolonged in time is lost: 409.
    """
    cancelled = renew(
        parts.engine, step_id, body.lease_id, progress=body.progress, speaks_for=speaks_for(caller)
    )
    return StepHeartbeatTaken(cancelled=cancelled, lease_seconds=parts.engine.limits.outside_lease_seconds)


@router.post(
    "/{step_id}/complete",
    summary="Complete a step",
    dependencies=[_WORKS],
    responses=_REPORTS,
)
async def complete_step(
    step_id: StepId, body: StepCompleted, desk: GivenDesk, caller: Caller
) -> StepReported:
    """What follows is recorded with it. Where the lease is lost: 409, nothing is changed, what was said is kept."""
    return await _reported(step_id, body.lease_id, Done(output=body.output), desk, caller)


@router.post(
    "/{step_id}/fail",
    summary="Say that a step cannot be done",
    dependencies=[_WORKS],
    responses=_REPORTS,
)
async def fail_step(step_id: StepId, body: StepFailed, desk: GivenDesk, caller: Caller) -> StepReported:
    """With `retry` it is offered again after the wait of the step's retry policy, as often as that allows."""
    kind = TryAgain if body.retry else Failed
    return await _reported(step_id, body.lease_id, kind(code=body.code, message=body.message), desk, caller)


@router.post(
    "/{step_id}/release",
    summary="Give a step back",
    dependencies=[_WORKS],
    responses=_REPORTS,
)
async def release_step(step_id: StepId, body: StepReleased, desk: GivenDesk, caller: Caller) -> StepReported:
    """Another may have it within about a second; it counts as no try."""
    return await _reported(step_id, body.lease_id, None, desk, caller)


async def _reported(
    step_id: int, lease_id: str, outcome: Outcome | None, desk: OutsideDesk, caller: Key
) -> StepReported:
    """The answer to a report that is recorded, or was before.

    Raises:
        ForeignLease, LeaseLost, UnknownStep: nothing was changed.
    """
    result = await desk.report(
        StepReport(
            step_id=step_id,
            lease_id=lease_id,
            outcome=outcome,
            speaks_for=speaks_for(caller),
            by=caller.agent_id,
        )
    )
    if isinstance(result, Exception):
        raise result
    return StepReported(step_id=step_id, outcome=_OUTCOMES.get(result, "returned"))
