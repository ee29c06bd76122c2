"""The routes that take back: a cancellation that waits out its window, an action of an order that ended otherwise."""

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path

from api.orders.agents.orchestrator import TaskId
from api.orders.errors import conflict
from api.orders.services import GivenOrders
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.orders.undo import ActionTakenBack, UndoAsked, UndoTaken
from tasks.orders.people.taking_back import TakeBackResult, take_back_action
from tasks.orders.people.undo import Undone, undo

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)

_WHY: Final = {
    Undone.UNDER_WAY: "the cancellation is being carried out at this moment",
    Undone.NOT_WAITING: "no cancellation waits to be carried out",
}


_NOT_TAKEN_BACK: Final = {
    TakeBackResult.NOT_UNMATCHED: "the order took note of this action; only what it knows nothing of is taken back",
    TakeBackResult.REFUSED: "the order system refuses to take it back",
}

ActionId = Annotated[str, Path(min_length=1, max_length=32, description="The action, as its alert names it.")]


@router.post(
    "/{task_id}/actions/{action_id}/take-back",
    summary="Take an action back",
    dependencies=[requires(Scope.TASKS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT, Code.SERVICE_UNAVAILABLE),
)
def take_back(
    task_id: TaskId, action_id: ActionId, body: UndoAsked, services: GivenOrders, actor: Actor
) -> ActionTakenBack:
    """What the order system did while its order ended otherwise (alert `action_unmatched`); once, whoever asks again.

    503 where the order system does not answer: asked again, it takes the action back at most once.
    """
    result, action, why = take_back_action(
        services.parts.context, task_id, action_id, by=actor, reason=body.reason
    )
    if action is None:
        raise unknown("action", action_id)
    if result is TakeBackResult.NOT_ANSWERED:
        raise Refusal(Code.SERVICE_UNAVAILABLE, f"the order system has not taken it back: {why}; ask again")
    if result in _NOT_TAKEN_BACK:
        message = _NOT_TAKEN_BACK[result]
        raise Refusal(
            Code.STATE_CONFLICT,
            f"{message}: {why}" if why else message,
            details={"task_id": task_id, "action_id": action_id, "action_status": action.status},
        )
    outcome: Literal["applied", "repeated"] = "repeated" if result is TakeBackResult.REPEATED else "applied"
    return ActionTakenBack(task_id=task_id, action_id=action_id, outcome=outcome)


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
