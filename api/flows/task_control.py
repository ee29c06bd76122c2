"""What people do to a task of either kind, and the short forms of the seed's core flow (seed 000 section 一)."""

from typing import Any, Literal

from fastapi import APIRouter

from api.flows.task_view import view_of
from api.flows.tasks import TaskId
from api.orders.agents import orchestrator
from api.orders.next_action import next_action
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, conflict_details, unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.flows.tasks import CancelAsked, TaskSteered
from schemas.orders.agents.orchestrator import TaskStarted
from statemachine.orders.states import State
from storage.flows.task_list import TaskList, TaskRow
from storage.orders.orders import Orders
from storage.people.reviews import Reviews
from tasks.orders.people.intervention import Intervened
from tasks.orders.people.steering import AFTERWARDS, ALLOWED, Verb, steer

router = APIRouter(prefix="/tasks", tags=["tasks"], route_class=Route)

_CHANGES = documented(Code.NOT_FOUND, Code.STATE_CONFLICT)


@router.post(
    "/{task_id}/cancel",
    summary="Cancel a task",
    dependencies=[requires(Scope.TASKS)],
    responses=_CHANGES,
)
def cancel_task(
    task_id: TaskId, parts: GivenParts, actor: Actor, body: CancelAsked | None = None
) -> TaskSteered:
    """At any moment; what is under way is refused when it is to be recorded. One cancelled before stays so."""
    return _steered(task_id, Verb.CANCEL, parts, actor, body.reason if body else None)


@router.post(
    "/{task_id}/pause",
    summary="Let nothing new begin in a task",
    dependencies=[requires(Scope.TASKS)],
    responses=_CHANGES,
)
def pause_task(task_id: TaskId, parts: GivenParts, actor: Actor) -> TaskSteered:
    """What is under way goes on; times that were set stay as they are."""
    return _steered(task_id, Verb.PAUSE, parts, actor)


@router.post(
    "/{task_id}/resume",
    summary="Let a paused task go on",
    dependencies=[requires(Scope.TASKS)],
    responses=_CHANGES,
)
def resume_task(task_id: TaskId, parts: GivenParts, actor: Actor) -> TaskSteered:
    """What came due meanwhile is due now."""
    return _steered(task_id, Verb.RESUME, parts, actor)


@router.post(
    "/{task_id}/retry",
    summary="Let a failed task go on where it stopped",
    dependencies=[requires(Scope.TASKS)],
    responses=_CHANGES,
)
def retry_task(task_id: TaskId, parts: GivenParts, actor: Actor) -> TaskSteered:
    """The failed step runs again with the input it had; the time the task is given begins anew.

    An order that waits for a person because a step failed is decided so.
    """
    return _steered(task_id, Verb.RETRY, parts, actor)


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
        review_open = bool(Reviews(work).list(state="open", task_id=task_id, limit=1))
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


def _steered(
    task_id: str, verb: Verb, parts: GivenParts, actor: str, reason: str | None = None
) -> TaskSteered:
    """The task as it stands once this was carried out, or was so before.

    Raises:
        Refusal: there is no such task (404), or it cannot (409).
    """
    became = steer(parts.engine, parts.context, task_id, verb, by=actor, reason=reason)
    with parts.database.transaction() as work:
        row = TaskList(work).find(task_id)
        if row is None or became is Intervened.UNKNOWN:
            raise unknown("task", task_id)
        if became in (Intervened.ENDED, Intervened.WAITS):
            raise _conflict(row, verb, became)
        outcome: Literal["applied", "repeated"] = (
            "repeated" if became is Intervened.NOTHING_TO_DO else "applied"
        )
        return TaskSteered(**dict(view_of(work, row)), outcome=outcome)


def _conflict(row: TaskRow, verb: Verb, became: Intervened) -> Refusal:
    why = "has ended" if became is Intervened.ENDED else "waits for a person"
    if became is Intervened.WAITS and row.status == "paused":
        why = "is paused; resume it first"
    return Refusal(
        Code.STATE_CONFLICT,
        f"the task is {row.state or row.status} and cannot {verb}: it {why}",
        details=_details(row, verb) | {"task_id": row.task_id, "status": row.status.value},
    )


def _details(row: TaskRow, verb: Verb) -> dict[str, Any]:
    """Where the task is and where it may go, in the seed's form: by business states, or by the lifecycle."""
    if row.state is not None:
        return conflict_details(State(row.state), State.CLOSED if verb is Verb.CANCEL else None)
    return {
        "current_state": row.status.value,
        "requested_state": AFTERWARDS[verb],
        "allowed_transitions": [
            {"event": each.value, "to_state": AFTERWARDS[each]} for each in ALLOWED.get(row.status, ())
        ],
    }
