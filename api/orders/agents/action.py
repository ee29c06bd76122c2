"""The action agent's route: what was understood is carried out (seed 000 section 四)."""

import asyncio
from typing import Any

from fastapi import APIRouter

from api.orders.agents.contact import ACCEPTED
from api.orders.agents.performance import Prefer, perform
from api.orders.services import GivenOrders, OrdersServices
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal
from api.server.route import Route
from api.server.services import Caller
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.orders.agents.action import ActionExecuted, ActionWanted
from storage.access.keys import Key
from storage.people.reviews import Review
from tasks.orders.calls.call import Call
from tasks.orders.calls.table import call_of_tool
from tasks.orders.people.approval import ask_for_approval, must_be_approved

router = APIRouter(tags=["actions"], route_class=Route)


@router.post(
    "/agents/actions/execute",
    summary="Carry out what was agreed",
    dependencies=[requires(Scope.ACTIONS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT) | ACCEPTED,
    response_model=ActionExecuted,
)
@router.post(
    "/actions/execute",
    summary="Carry out what was agreed (short form)",
    dependencies=[requires(Scope.ACTIONS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT) | ACCEPTED,
    response_model=ActionExecuted,
    name="execute_action_short",
)
async def execute_action(
    body: ActionWanted, services: GivenOrders, caller: Caller, prefer: Prefer = None
) -> Any:
    """The action that the classified intent leads to; another answers 409.

    `update_appointment` also tells the engineer. A follow-up date in the past is due at once. The same call
    again answers what was recorded; other parameters answer 409.
    """
    call = await action_call(body, services, caller)
    return call if isinstance(call, ActionExecuted) else await perform(services, call, prefer=prefer)


async def action_call(
    body: ActionWanted, services: OrdersServices, caller: Key
) -> Call[Any] | ActionExecuted:
    """The call for the action that this body asks for, or the answer that somebody must agree first.

    Raises:
        Refusal: the key's agent may not have it carried out (403).
    """
    require_permission(services, caller.agent_id, body.action_type)
    parts = services.parts
    if body.requires_approval or await asyncio.to_thread(
        must_be_approved, parts.database, parts.context.approvals, body.task_id, body.action_type
    ):
        asked = await asyncio.to_thread(
            ask_for_approval, parts.engine, body.task_id, body.action_type, caller.agent_id
        )
        if isinstance(asked, Review):
            return ActionExecuted(
                action_id=None, status="pending_approval", result={"review_id": asked.review_id}
            )
    return call_of_tool(
        body.action_type,
        task_id=body.task_id,
        agent_id=caller.agent_id,
        parameters=body.action_params.as_given(parts.personal),
    )


def require_permission(services: OrdersServices, agent_id: str, action_type: str) -> None:
    """Return when the configuration lets this agent have this action carried out.

    Raises:
        Refusal: it does not (403).
    """
    if not services.parts.context.permissions.allow(agent_id, action_type):
        raise Refusal(Code.FORBIDDEN, "this key's agent may not have this action carried out")
