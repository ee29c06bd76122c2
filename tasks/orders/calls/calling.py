"""Calls of agents over the API: one claim path, so that no step is done twice.

A manual order's step is *offered*: the first call takes it, which publishes it to its agent's queue, and whoever
calls meanwhile waits for the same step. In an order the fleet drives, the step is under way already and the
caller waits beside it. A step that is done answers what was recorded (SPEC.md §6).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from engine.engine import Engine
from engine.transaction import Transaction
from runtime.clock import Clock
from runtime.ids import Prefix, new_id
from statemachine.workflow.definition import Kind
from statemachine.workflow.states import StepState
from storage.engine.runs import Runs
from storage.orders.dispatches import Dispatch, Dispatches
from storage.orders.order import Order
from storage.orders.order_view import OrderView, StepResult, WaitingStep
from storage.orders.orders import Orders
from tasks.orders.agents.orchestrator import VALIDATE
from tasks.orders.calls.call import Asked, Call
from tasks.orders.calls.table import MATCHERS
from tasks.orders.rules.context import Context


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The step is at its agent; `next_call` is the next call, where this one only leads to it."""

    dispatch_id: str
    step_id: int
    next_call: Call[Any] | None = None


@dataclass(frozen=True, slots=True)
class AlreadyDone:
    """The step was already done with the same inputs."""

    step: StepResult
    dispatch_id: str


@dataclass(frozen=True, slots=True)
class NotTaken:
    """Not now, or not so: where the order stands, and why."""

    order: Order
    why: str
    not_before: datetime | None = None


Begun = UnderWay | AlreadyDone | NotTaken
"""What became of a call."""


def begin(engine: Engine, context: Context, call: Call[Any]) -> Begun | None:
    """Take the step this call is for, or find who has it; `None` when there is no such order."""
    with engine.transaction() as transaction:
        order = Orders(transaction.work).find([call.task_id]).get(call.task_id)
        if order is None:
            return None
        Runs(transaction.work).lock([order.run_id])
        # Whoever held the lock until now may have moved the order on.
        asked, waiting = _look(transaction, context, call)
        matcher, meant = MATCHERS[call.action], _meant(call, waiting)
        if meant is None and matcher.reopens(asked, waiting):
            asked, waiting = _look(transaction, context, call)
            meant = _meant(call, waiting)
        if meant is not None:
            return _join(asked, meant)
        return _recorded(asked) or _led(asked, waiting) or NotTaken(asked.order, _instead(waiting))


def _look(
    transaction: Transaction, context: Context, call: Call[Any]
) -> tuple[Asked[Any], Sequence[WaitingStep]]:
    """The order under the lock of its run, and what is open in it."""
    order = Orders(transaction.work).find([call.task_id])[call.task_id]
    asked = Asked(transaction=transaction, context=context, call=call, order=order)
    return asked, OrderView(transaction.work).waiting_steps(order.run_id)


def _meant(call: Call[Any], waiting: Sequence[WaitingStep]) -> WaitingStep | None:
    return next((step for step in waiting if step.action == call.action), None)


def _join(asked: Asked[Any], step: WaitingStep) -> UnderWay | NotTaken:
    """The step is open: it is taken, waited for together with whoever has it, or not due."""
    order, call = asked.order, asked.call
    if step.held:
        return NotTaken(order, "the order is paused; resume it first")
    if step.state is StepState.OFFERED:
        return _take(asked, step)
    if step.state is StepState.SCHEDULED and step.due_at is not None and step.due_at > _now(asked, step):
        return NotTaken(order, f"{call.action_type} is not due yet", step.due_at)
    last = Dispatches(asked.work).last_of(step.step_id)
    if _at_odds(step, call):
        by = f", by {last.dispatch_id}" if last else ""
        return NotTaken(order, f"{call.action_type} is under way with other inputs{by}")
    if why := MATCHERS[call.action].refuses(asked, step):
        return NotTaken(order, why)
    return UnderWay(last.dispatch_id if last else _keep(asked, step.step_id), step.step_id)


def _now(asked: Asked[Any], step: WaitingStep) -> datetime:
    """The moment on the clock that this step waits by."""
    moments = asked.transaction.moments
    return moments.business_now if step.due_clock == Clock.BUSINESS else moments.database_now


def _at_odds(step: WaitingStep, call: Call[Any]) -> bool:
    """Whether the step was taken with other inputs, as far as both callers say something of them."""
    taken = step.input.get("call") or {}
    return any(taken[name] != value for name, value in _given(call).items() if name in taken)


def _given(call: Call[Any]) -> Mapping[str, object]:
    """What the step gets from its caller."""
    return MATCHERS[call.action].gives(call.wanted)


def _take(asked: Asked[Any], step: WaitingStep) -> UnderWay | NotTaken:
    matcher = MATCHERS[asked.call.action]
    if why := matcher.refuses(asked, step):
        return NotTaken(asked.order, why)
    if not asked.transaction.take(step.step_id, _given(asked.call), asked.call.limits):
        return NotTaken(asked.order, "the order is paused; resume it first")
    matcher.notes(asked, step)
    return UnderWay(_keep(asked, step.step_id), step.step_id)


def _recorded(asked: Asked[Any]) -> AlreadyDone | None:
    """The step that was done and is what the caller asks for."""
    for step in OrderView(asked.work).done_steps(asked.order.run_id, asked.call.action):
        if MATCHERS[asked.call.action].recognises(asked, step):
            last = Dispatches(asked.work).last_of(step.step_id)
            return AlreadyDone(step, last.dispatch_id if last else _keep(asked, step.step_id))
    return None


def _led(asked: Asked[Any], waiting: Sequence[WaitingStep]) -> UnderWay | NotTaken | None:
    """A manual order's step on the way to the one that is meant, taken or shared as what it is."""
    if asked.order.mode != "manual":
        return None
    for step in waiting:
        next_call = MATCHERS[asked.call.action].leads(asked, step)
        if next_call is None or step.action is None:
            continue
        itself = replace(asked, call=replace(asked.call, action=step.action, wanted=None))
        begun = _join(itself, step)
        return replace(begun, next_call=next_call) if isinstance(begun, UnderWay) else begun
    return None


def _keep(asked: Asked[Any], step_id: int) -> str:
    call = asked.call
    dispatch = Dispatch(
        dispatch_id=new_id(Prefix.DISPATCH),
        step_id=step_id,
        task_id=call.task_id,
        agent_id=call.agent_id,
        target_agent=call.action.partition(".")[0],
        action_type=call.action_type,
        given=_given(call),
    )
    Dispatches(asked.work).keep(dispatch)
    return dispatch.dispatch_id


def _instead(waiting: Sequence[WaitingStep]) -> str:
    """What the order waits for, when it is not what was called for."""
    if not waiting:
        return "nothing is left to do in this order"
    step = waiting[0]
    if step.kind == Kind.HUMAN:
        return "a person decides this order first; see GET /v1/reviews"
    if step.action == VALIDATE:
        return "the order is held; POST /v1/tasks/{task_id}/start begins it"
    return f"this order waits for {step.node}, not for what was called for"
