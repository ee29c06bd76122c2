"""An order under the address of its task: the short forms of the seed's core flow (seed 000 section 一)."""

from fastapi import APIRouter

from api.orders.agents import orchestrator
from api.orders.agents.orchestrator import TaskId
from api.orders.next_action import next_action
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.orders.agents.orchestrator import TaskStarted
from storage.orders.orders import Orders
from storage.people.reviews import Reviews

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)


@router.post(
    "/{task_id}/start",
    summary="Where a known order's way begins, in short",
    dependencies=[requires(Scope.TASKS, repeatable=True)],
    responses=documented(Code.NOT_FOUND),
)
def start_known_task(task_id: TaskId, parts: GivenParts) -> TaskStarted:
    """An order was begun when it was accepted; this answers as `tasks/start` does for one that is known."""
    with parts.database.transaction() as work:
        order = Orders(work).find([task_id]).get(task_id)
        if order is None:
            raise unknown("task", task_id)
        review_open = Reviews(work).open_of(task_id) is not None
    following = next_action(order, review_open=review_open)
    return TaskStarted(
        task_id=order.task_id,
        status=order.status,
        next_action=following.name,
        assigned_agent=following.agent,
    )


router.get(
    "/{task_id}/status",
    name="task_status_in_short",
    summary="Where an order stands, in short",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)(orchestrator.task_status)
