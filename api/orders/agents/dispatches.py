"""Passing a waiting step to its agent without waiting for it, and asking what came of it (seed 000 section 四)."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path
from pydantic import ValidationError

from api.orders.agents.action import require_permission
from api.orders.agents.performance import refusal_of
from api.orders.agents.triage import classification_call
from api.orders.services import GivenOrders, OrdersServices
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.core.problems import problems_of
from schemas.orders.agents.calls import Dispatched, DispatchRequested, DispatchState, DispatchStatus
from schemas.orders.agents.triage import ClassificationWanted
from statemachine.workflow.states import StepState
from storage.access.keys import Key
from storage.orders.dispatches import Dispatches
from storage.orders.order_view import OrderView
from tasks.orders.calls.call import Call
from tasks.orders.calls.calling import AlreadyDone, NotTaken, UnderWay, begin
from tasks.orders.calls.contact import CHANNEL_OF
from tasks.orders.calls.table import call_of_tool

CLASSIFY: Final = "classify_intent"
_TYPES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "orchestrator": (),
    "contact_agent": tuple(CHANNEL_OF),
    "triage_agent": (CLASSIFY,),
    "action_agent": ("update_appointment", "notify_engineer", "cancel_order", "schedule_followup"),
    "audit_agent": ("log_event",),
}
_STATUS: Final[Mapping[StepState, DispatchStatus]] = {
    StepState.DONE: "done",
    StepState.FAILED: "failed",
    StepState.CANCELLED: "cancelled",
}
_HIDDEN: Final = frozenset({"transcript", "user_input"})

router = APIRouter(tags=["orchestrator"], route_class=Route)


@router.post(
    "/agents/orchestrator/tasks/dispatch",
    summary="Pass the waiting step to its agent",
    dependencies=[requires(Scope.TASKS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
async def dispatch(body: DispatchRequested, services: GivenOrders, caller: Caller) -> Dispatched:
    """Does not wait: ask at `GET /v1/dispatches/{dispatch_id}`. A step that is done is not done again."""
    call = _call(body, services, caller)
    parts = services.parts
    if body.target_agent == "action_agent":
        require_permission(services, body.target_agent, body.action_type)
    begun = await asyncio.to_thread(begin, parts.engine, parts.context, call)
    match begun:
        case None:
            raise unknown("task", body.task_id)
        case NotTaken():
            raise refusal_of(begun)
        case AlreadyDone(dispatch_id=dispatch_id):
            return Dispatched(dispatch_id=dispatch_id, target_agent=body.target_agent, status="already_done")
        case UnderWay(dispatch_id=dispatch_id):
            return Dispatched(dispatch_id=dispatch_id, target_agent=body.target_agent)


@router.get(
    "/dispatches/{dispatch_id}",
    summary="What became of a call",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def dispatch_state(
    dispatch_id: Annotated[Identifier, Path(description="As a 202 or a dispatch answered it.")],
    parts: GivenParts,
) -> DispatchState:
    """The step that the call was for, as it stands."""
    with parts.database.transaction() as work:
        found = Dispatches(work).find(dispatch_id)
        if found is None:
            raise unknown("dispatch", dispatch_id)
        step = OrderView(work).step_result(found.step_id)
    return DispatchState(
        dispatch_id=found.dispatch_id,
        task_id=found.task_id,
        target_agent=parts.agents.by_queue[found.target_agent].key_owner,
        action_type=found.action_type,
        status=_STATUS.get(step.state, "waiting"),
        output=_shown(step.output) if step.state is StepState.DONE else None,
        error=dict(step.error) if step.error and step.state is StepState.FAILED else None,
        dispatched_at=found.created_at,
    )


def _call(body: DispatchRequested, services: OrdersServices, caller: Key) -> Call[Any]:
    """The call that this dispatch is.

    Raises:
        Refusal: the agent does not do this, or the words cannot be classified (422).
    """
    if body.action_type not in _TYPES_OF[body.target_agent]:
        does = ", ".join(_TYPES_OF[body.target_agent]) or "nothing by dispatch"
        raise invalid([("action_type", f"is not done by {body.target_agent}, which does {does}")])
    said = (body.action_params.model_extra or {}).get("user_input")
    if body.action_type == CLASSIFY and said is not None:
        return classification_call(_classification(body.task_id, said), services, caller)
    return call_of_tool(
        body.action_type,
        task_id=body.task_id,
        agent_id=caller.agent_id,
        parameters=body.action_params.as_given(services.parts.personal),
    )


def _classification(task_id: str, said: object) -> ClassificationWanted:
    """The classification of these words, as the triage agent's own route would take it.

    Raises:
        Refusal: they are not words (422).
    """
    try:
        return ClassificationWanted.model_validate({"task_id": task_id, "user_input": said})
    except ValidationError as error:
        problems = problems_of(error, "a classification")
        raise invalid([(f"action_params.{p.field}", p.message) for p in problems]) from error


def _shown(output: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (output or {}).items() if name not in _HIDDEN}
