"""The routes of refused input: what could not be taken in and why, its correction, its dismissal (SPEC.md §5)."""

from typing import Annotated, Any, Final, Literal, cast

from fastapi import APIRouter, Path, Query

from api.server.actor import actor
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts, RequestName, TraceName
from api.task_intake import GivenIntake
from runtime.mask import mask_text
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.people.rejects import (
    DismissalAsked,
    RejectDismissed,
    RejectList,
    RejectReplayed,
    RejectsKept,
    RejectSource,
    RejectsSent,
    RejectState,
    RejectSummary,
    RejectView,
    ReplayAsked,
)
from storage.people.rejects import MOST_PROBLEMS, NewReject, Reject
from tasks.people.payload import shown
from tasks.people.rejects import find_reject as find_kept
from tasks.people.rejects import keep, shown_problems
from tasks.people.rejects import list_rejects as find_rejects
from tasks.people.replay import Handling, RejectResult, dismiss, replay

router = APIRouter(prefix="/intake/rejected", tags=["intake"], route_class=Route)

LARGEST_KEPT_BODY: Final = 8 * 1_048_576
"""Bytes the body may have that brings what is no order: of a line of a mebibyte, each character may be escaped."""

RejectId = Annotated[Identifier, Path(description="The refused input's id.")]


@router.get("", summary="What could not be taken in", dependencies=[requires(Scope.INTAKE)])
def list_rejects(
    parts: GivenParts,
    state: Annotated[RejectState | Literal["all"], Query(description="What became of them.")] = "open",
    source: Annotated[
        RejectSource | None, Query(description="What came in at this entry point only.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Inputs a page may have.")] = 100,
    cursor: Cursor = None,
) -> RejectList:
    """The newest first, page by page; those that wait for a person unless asked otherwise."""
    found = find_rejects(
        parts.database,
        state=None if state == "all" else state,
        source=source,
        after=place_of(cursor),
        limit=limit + 1,
    )
    page = found[:limit]
    return RejectList(
        rejects=[_summary(reject) for reject in page],
        next_cursor=cursor_of((page[-1].rejected_at, page[-1].reject_id)) if len(found) > limit else None,
    )


@router.get(
    "/{reject_id}",
    summary="A refused input",
    dependencies=[requires(Scope.INTAKE)],
    responses=documented(Code.NOT_FOUND),
)
def find_reject(reject_id: RejectId, parts: GivenParts) -> RejectView:
    """What came, numbers and personal fields masked, and what is wrong with it."""
    reject = find_kept(parts.database, reject_id)
    if reject is None:
        raise unknown("reject", reject_id)
    return RejectView(**_fields(reject), payload=shown(reject.payload, parts.personal))


@router.post(
    "",
    summary="Keep what is no order",
    dependencies=[requires(Scope.TASKS, repeatable=True)],
    responses=documented(Code.PAYLOAD_TOO_LARGE),
)
def keep_rejects(body: RejectsSent, parts: GivenParts, trace_id: TraceName) -> RejectsKept:
    """For whoever reads orders from elsewhere: what cannot be read is kept, and an alert reports it.

    The same again while it waits is kept once.
    """
    rejects = [
        NewReject(
            source=body.source,
            task_id=each.task_id,
            order_id=each.order_id,
            # Half a character cannot be encrypted as it is.
            payload=each.payload.encode(errors="backslashreplace").decode(),
            problems=[problem.model_dump() for problem in each.problems],
            trace_id=trace_id,
        )
        for each in body.rejects
    ]
    with parts.database.transaction() as work:
        keep(work, rejects)
    return RejectsKept(kept=len(rejects))


@router.post(
    "/{reject_id}/replay",
    summary="Send a refused input in again",
    dependencies=[requires(Scope.INTAKE)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def replay_reject(
    reject_id: RejectId,
    body: ReplayAsked,
    parts: GivenParts,
    intake: GivenIntake,
    caller: Caller,
    request_id: RequestName,
    trace_id: TraceName,
) -> RejectReplayed:
    """Corrected, or as it came (after the order's other task has closed, say).

    What is still no order answers 422, what cannot be taken in now answers 409; it then stays open.
    """
    handling = replay(
        parts.engine,
        intake.forms,
        parts.personal,
        reject_id,
        body.payload,
        by=actor(caller, body.by),
        request_id=request_id,
        trace_id=trace_id,
    )
    reject = _handled(reject_id, handling)
    return RejectReplayed(
        task_id=cast("str", reject.replayed_as),
        outcome=cast("Literal['accepted', 'existing']", handling.acceptance),
        reject=_summary(reject),
    )


@router.post(
    "/{reject_id}/dismiss",
    summary="Let a refused input be",
    dependencies=[requires(Scope.INTAKE)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def dismiss_reject(
    reject_id: RejectId, body: DismissalAsked, parts: GivenParts, caller: Caller
) -> RejectDismissed:
    """Nothing will be made of it; the record keeps who decided that, and why."""
    handling = dismiss(parts.database, reject_id, by=actor(caller, body.by), reason=body.reason)
    return RejectDismissed(reject=_summary(_handled(reject_id, handling)))


def _handled(reject_id: str, handling: Handling) -> Reject:
    """The refused input as it was dealt with.

    Raises:
        Refusal: nothing was done.
    """
    reject = handling.reject
    if reject is None:
        raise unknown("reject", reject_id)
    if handling.outcome is RejectResult.INVALID:
        raise invalid(
            [(f"payload.{mask_text(p.field)}", p.message) for p in handling.problems[:MOST_PROBLEMS]]
        )
    if handling.outcome is RejectResult.REFUSED:
        (problem,) = handling.problems
        raise Refusal(
            Code.STATE_CONFLICT,
            f"{problem.field} {problem.message}",
            details={"reject_id": reject_id, "reject_state": reject.state, "reason": handling.acceptance},
        )
    if handling.outcome is RejectResult.BEFORE:
        raise Refusal(
            Code.STATE_CONFLICT,
            f"the refused input was {reject.state} before",
            details={
                "reject_id": reject_id,
                "reject_state": reject.state,
                "replayed_as": reject.replayed_as,
                "handled_by": reject.handled_by,
            },
        )
    return reject


def _summary(reject: Reject) -> RejectSummary:
    return RejectSummary(**_fields(reject))


def _fields(reject: Reject) -> dict[str, Any]:
    fields = {name: getattr(reject, name) for name in RejectSummary.model_fields}
    return fields | {"problems": shown_problems(reject)}
