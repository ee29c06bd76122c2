"""Performs a step requested over HTTP: begin, wait, answer with the recorded result; 202 when it takes longer."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

from fastapi import Header
from fastapi.responses import JSONResponse

from api.orders.errors import conflict
from api.orders.services import OrdersServices
from api.server.refusal import Refusal, invalid, overloaded, unknown
from schemas.core.error import Code
from schemas.core.form import Succeeded, in_utc
from schemas.orders.agents.calls import CallAccepted
from statemachine.workflow.states import StepState
from storage.core.unit_of_work import UnitOfWork
from storage.orders.order_view import OrderView, StepResult
from storage.orders.orders import Orders
from tasks.forms import Acceptance, NewTask, ReadTask, Sender
from tasks.orders.calls.call import Call
from tasks.orders.calls.calling import AlreadyDone, NotTaken, UnderWay, begin
from tasks.orders.calls.table import MATCHERS
from tools.limits import TOOLS

RESPOND_ASYNC: Final = "respond-async"
_MOST_ON_THE_WAY: Final = 3

Prefer = Annotated[
    str | None,
    Header(
        max_length=200,
        description="`respond-async` (RFC 7240 §4.1): do not wait, answer 202 with a `dispatch_id` to poll.",
    ),
]


Answer = Callable[[UnitOfWork, Call[Any], StepResult], Succeeded | None]
"""Reads the answer from what a step recorded; `None` when that is not what was called for."""


async def perform(
    services: OrdersServices,
    call: Call[Any],
    *,
    prefer: str | None,
    seconds: float | None = None,
    answer: Answer | None = None,
) -> Succeeded | JSONResponse:
    """Have a step done and answer what came of it.

    Args:
        services: The API's own parts.
        call: The step that is called for.
        prefer: The caller's `Prefer` header.
        seconds: How long the caller waits; the limit of the tool that the call names, where not given.
        answer: How the answer is read; as the action's matcher reads it, where not given.

    Raises:
        Refusal: no such order (404); the order does not wait for this, or it failed (409).
    """
    parts = services.parts
    seconds = TOOLS[call.action_type].timeout_seconds if seconds is None else seconds
    answer = answer or MATCHERS[call.action].answers
    for _ in range(_MOST_ON_THE_WAY):
        begun = await asyncio.to_thread(begin, parts.engine, parts.context, call)
        match begun:
            case None:
                raise unknown("task", call.task_id)
            case NotTaken():
                raise refusal_of(begun)
            case AlreadyDone(step=step):
                return await asyncio.to_thread(_answered, services, call, step, answer)
            case UnderWay(next_call=None) if prefers_async(prefer):
                return accepted(call, begun.dispatch_id)
            case UnderWay(next_call=next_call):
                settled = await services.awaiting.settled(begun.step_id, seconds)
                if settled is None:
                    return accepted(call, begun.dispatch_id)
                if settled.ended and (next_call is None or settled.state is not StepState.DONE):
                    return await asyncio.to_thread(_answered, services, call, settled, answer)
                # What was put off says until when; what led on has led to what is called for now.
                call = call if next_call is None else next_call
    raise Refusal(Code.STATE_CONFLICT, "the order moved on meanwhile; look where it stands and call again")


async def work_alone(
    services: OrdersServices, task_type: str, parameters: Mapping[str, Any], *, by: str, seconds: float
) -> Mapping[str, Any] | JSONResponse:
    """Have an action that belongs to no order done by its agent: its output, or 202 with the task to poll.

    Raises:
        Refusal: the parameters are not what it takes (422), too much waits before it (503), or it failed (409).
    """
    task = services.intake.forms.read_general(
        services.parts.engine,
        NewTask(task_type=task_type, description=task_type, parameters=parameters, sender=Sender(by)),
    )
    assert isinstance(task, ReadTask), "an action can be read; its parameters are checked when it is accepted"
    receipt = await services.intake.accept(task)
    if receipt.result is Acceptance.OVERLOADED:
        raise overloaded(receipt.message)
    if receipt.task_id is None or receipt.problems:
        raise invalid([(problem.field, problem.message) for problem in receipt.problems])

    def first() -> int:
        with services.parts.database.transaction() as work:
            return OrderView(work).first_step(str(receipt.task_id))

    step = await services.awaiting.settled(await asyncio.to_thread(first), seconds)
    if step is None or not step.ended:
        where = f"/v1/tasks/{receipt.task_id}"
        body = {"success": True, "status": "accepted", "task_id": receipt.task_id, "poll": where}
        return JSONResponse(body, status_code=202, headers={"Location": where})
    if step.state is not StepState.DONE:
        said = str((step.error or {}).get("message") or step.state.value)
        raise Refusal(Code.STATE_CONFLICT, f"{task_type} was not done: {said}")
    return step.output or {}


def prefers_async(prefer: str | None) -> bool:
    """Whether the caller would rather poll than wait (RFC 7240)."""
    wishes = (wish.partition(";")[0].strip().lower() for wish in (prefer or "").split(","))
    return RESPOND_ASYNC in wishes


def accepted(call: Call[Any], dispatch_id: str) -> JSONResponse:
    """202: the step is with its agent; where to ask what came of it."""
    where = f"/v1/dispatches/{dispatch_id}"
    body = CallAccepted(task_id=call.task_id, dispatch_id=dispatch_id, poll=where)
    return JSONResponse(body.model_dump(mode="json"), status_code=202, headers={"Location": where})


def _answered(
    services: OrdersServices,
    call: Call[Any],
    step: StepResult,
    answer: Answer,
) -> Succeeded:
    with services.parts.database.transaction() as work:
        if step.state is StepState.DONE:
            found = answer(work, call, step)
            if found is not None:
                return found
        order = Orders(work).find([call.task_id])[call.task_id]
    if step.state is StepState.DONE:
        raise conflict(order.status, None, f"{call.action_type} was done with other inputs")
    error = step.error or {}
    said = str(error.get("message") or "it was taken back before it was done")
    raise conflict(
        order.status,
        None,
        f"{call.action_type} was not done: {said}",
        reason=error.get("code") or step.state.value,
    )


def refusal_of(refused: NotTaken) -> Refusal:
    """The 409 of a call that the order does not wait for."""
    more = {"not_before": in_utc(refused.not_before)} if refused.not_before else {}
    return conflict(refused.order.status, None, refused.why, **more)
