"""An order under the address of its task: the short forms of the seed's core flow (seed 000 section 一)."""

from fastapi import APIRouter

from api.orders.agents import orchestrator
from api.orders.agents.orchestrator import TaskId
from api.orders.errors import conflict
from api.orders.next_action import next_action
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.orders.agents.orchestrator import TaskStarted
from statemachine.orders.states import State
from storage.people.reviews import Reviews
from tasks.orders.people.intervention import start
from tasks.verbs import VerbResult

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)


@router.post(
    "/{task_id}/start",
    summary="Begin an order that is held; where a known order stands, in short",
    dependencies=[requires(Scope.TASKS, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def start_known_task(task_id: TaskId, parts: GivenParts, actor: Actor) -> TaskStarted:
    """An order that came with `hold` begins. Any other was begun when it was accepted, and is answered as it stands."""
    result, order = start(parts.engine, task_id, by=actor)
    if order is None:
        raise unknown("task", task_id)
    if result is VerbResult.WAITS:
        raise conflict(order.status, State.CONTACTING, "the order is paused; resume it first")
    with parts.database.transaction() as work:
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
