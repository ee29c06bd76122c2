"""The route that takes a cancellation back while it waits out its window."""

from typing import Final

from fastapi import APIRouter

from api.orders.agents.orchestrator import TaskId
from api.orders.errors import conflict
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.orders.undo import UndoAsked, UndoTaken
from tasks.orders.people.undo import Undone, undo

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)

_WHY: Final = {
    Undone.UNDER_WAY: "the cancellation is being carried out at this moment",
    Undone.NOT_WAITING: "no cancellation waits to be carried out",
}


@router.post(
    "/{task_id}/undo",
    summary="Take a cancellation back",
    dependencies=[requires(Scope.TASKS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def undo_cancellation(task_id: TaskId, body: UndoAsked, parts: GivenParts, actor: Actor) -> UndoTaken:
    """While it waits out its undo window (30 minutes); a review with the reason `undo_requested` decides instead.

    Once it is carried out, 409. Taken back before and not yet decided, 200 with the same review. A manual order
    has no window: its cancellation waits for its caller, and can be taken back until then.
    """
    became, order, review = undo(parts.engine, task_id, by=actor, reason=body.reason)
    if order is None:
        raise unknown("task", task_id)
    if review is None:
        raise conflict(
            order.status, None, _WHY[became], task_id=task_id, under_way=became is Undone.UNDER_WAY
        )
    return UndoTaken(
        task_id=task_id,
        outcome="repeated" if became is Undone.REPEATED else "applied",
        review_id=review.review_id,
    )
