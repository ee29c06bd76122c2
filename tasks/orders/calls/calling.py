"""What an agent calls for over the API: one claim path, so that callers and fleet never do a step twice.

A manual order's step is *offered*: the first call takes it, which publishes it to its agent's queue, and whoever
calls meanwhile waits for the same step. In an order the fleet drives, the step is under way already and the
caller waits beside it. A step that is done answers what was recorded (SPEC.md §6).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from engine.engine import Engine
from engine.transaction import Transaction
from runtime.clock import Clock
from runtime.ids import Prefix, new_id
from statemachine.workflow.definition import Kind
from storage.engine.runs import Runs
from storage.orders.calls import CalledStep, Calls, Dispatch, WaitingStep
from storage.orders.order import Order
from storage.orders.orders import Orders

Refusing = Callable[[Transaction, Order, WaitingStep], str | None]
"""Why a step that is open cannot be what the caller wants; `None` when it can."""
Recognising = Callable[[Transaction, Order, CalledStep], bool]
"""Whether a step that is done is what the caller asks for."""
Leading = Callable[[Transaction, Order, WaitingStep], "Call | None"]
"""What is called for once an open step is done that leads to the one that is meant; `None` where it does not."""
Turning = Callable[[Transaction, Order, Sequence[WaitingStep]], bool]
"""Lets the order wait for the step that is meant, where what the caller says is a reason to; whether it did."""
Noting = Callable[[Transaction, WaitingStep], None]
"""Writes what the caller said, in the transaction that takes the step."""


def _leads_nowhere(_: Transaction, __: Order, ___: WaitingStep) -> None:
    return None


def _never(_: Transaction, __: Order, ___: WaitingStep) -> None:
    return None


def _always(_: Transaction, __: Order, ___: CalledStep) -> bool:
    return True


def _turns_nothing(_: Transaction, __: Order, ___: Sequence[WaitingStep]) -> bool:
    return False


def _notes_nothing(_: Transaction, __: WaitingStep) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One step of an order, as an agent calls for it."""

    task_id: str
    action: str
    """The engine's action whose step is meant."""
    action_type: str
    """What the caller named: a tool (seed 000 section 五) or an event."""
    agent_id: str
    given: Mapping[str, object] = field(default_factory=dict)
    """What the step gets from its caller, as `call` in its input."""
    turns: Turning = _turns_nothing
    leads: Leading = _leads_nowhere
    refuses: Refusing = _never
    recognises: Recognising = _always
    notes: Noting = _notes_nothing


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The step is with its agent; `onward` is what to call for after it, where it only leads to what was meant."""

    dispatch_id: str
    step_id: int
    onward: Call | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """The step was done before, with the same inputs."""

    step: CalledStep
    dispatch_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Not now, or not so: where the order stands, and why."""

    order: Order
    why: str
    not_before: datetime | None = None


Begun = UnderWay | Recorded | Refused


def begin(engine: Engine, call: Call) -> Begun | None:
    """Take the step this call is for, or find who has it; `None` when there is no such order."""
    with engine.transaction() as transaction:
        order = _order(transaction, call)
        if order is None:
            return None
        Runs(transaction.work).lock([order.run_id])
        # Whoever held the lock until now may have moved the order on.
        order = _order(transaction, call) or order
        waiting = Calls(transaction.work).open_steps(order.run_id)
        meant = _meant(call, waiting)
        if meant is None and call.turns(transaction, order, waiting):
            order = _order(transaction, call) or order
            waiting = Calls(transaction.work).open_steps(order.run_id)
            meant = _meant(call, waiting)
        if meant is not None:
            return _join(transaction, order, call, meant)
        return (
            _recorded(transaction, order, call)
            or _led(transaction, order, call, waiting)
            or Refused(order, _instead(waiting))
        )


def _order(transaction: Transaction, call: Call) -> Order | None:
    return Orders(transaction.work).find([call.task_id]).get(call.task_id)


def _meant(call: Call, waiting: Sequence[WaitingStep]) -> WaitingStep | None:
    return next((step for step in waiting if step.action == call.action), None)


def _join(transaction: Transaction, order: Order, call: Call, step: WaitingStep) -> UnderWay | Refused:
    """The step is open: it is taken, waited for together with whoever has it, or not due."""
    if step.held:
        return Refused(order, "the order is paused; resume it first")
    if step.state == "offered":
        return _take(transaction, order, call, step)
    if step.state == "scheduled" and step.due_at is not None and step.due_at > _now(transaction, step):
        return Refused(order, f"{call.action_type} is not due yet", step.due_at)
    last = Calls(transaction.work).last_of(step.step_id)
    if _at_odds(step, call):
        by = f", by {last.dispatch_id}" if last else ""
        return Refused(order, f"{call.action_type} is under way with other inputs{by}")
    if why := call.refuses(transaction, order, step):
        return Refused(order, why)
    dispatch_id = last.dispatch_id if last else _keep(transaction, call, step.step_id)
    return UnderWay(dispatch_id, step.step_id)


def _now(transaction: Transaction, step: WaitingStep) -> datetime:
    """The moment on the clock that this step waits by."""
    moments = transaction.moments
    return moments.business_now if step.due_clock == Clock.BUSINESS else moments.database_now


def _at_odds(step: WaitingStep, call: Call) -> bool:
    """Whether the step was taken with other inputs, as far as both callers say something of them."""
    taken = step.input.get("call") or {}
    return any(taken[name] != value for name, value in call.given.items() if name in taken)


def _take(transaction: Transaction, order: Order, call: Call, step: WaitingStep) -> UnderWay | Refused:
    if why := call.refuses(transaction, order, step):
        return Refused(order, why)
    if not transaction.take(step.step_id, call.given):
        return Refused(order, "the order is paused; resume it first")
    call.notes(transaction, step)
    return UnderWay(_keep(transaction, call, step.step_id), step.step_id)


def _recorded(transaction: Transaction, order: Order, call: Call) -> Recorded | None:
    """The step that was done and is what the caller asks for."""
    for step in Calls(transaction.work).done(order.run_id, call.action):
        if call.recognises(transaction, order, step):
            last = Calls(transaction.work).last_of(step.step_id)
            return Recorded(step, last.dispatch_id if last else _keep(transaction, call, step.step_id))
    return None


def _led(
    transaction: Transaction, order: Order, call: Call, waiting: Sequence[WaitingStep]
) -> UnderWay | Refused | None:
    """A manual order's step on the way to the one that is meant, taken or shared as what it is."""
    if order.mode != "manual":
        return None
    for step in waiting:
        onward = call.leads(transaction, order, step)
        if onward is None or step.action is None:
            continue
        itself = Call(
            task_id=call.task_id, action=step.action, action_type=call.action_type, agent_id=call.agent_id
        )
        begun = _join(transaction, order, itself, step)
        return replace(begun, onward=onward) if isinstance(begun, UnderWay) else begun
    return None


def _keep(transaction: Transaction, call: Call, step_id: int) -> str:
    dispatch = Dispatch(
        dispatch_id=new_id(Prefix.DISPATCH),
        step_id=step_id,
        task_id=call.task_id,
        agent_id=call.agent_id,
        target_agent=call.action.partition(".")[0],
        action_type=call.action_type,
        given=call.given,
    )
    Calls(transaction.work).keep(dispatch)
    return dispatch.dispatch_id


def _instead(waiting: Sequence[WaitingStep]) -> str:
    """What the order waits for, when it is not what was called for."""
    if not waiting:
        return "nothing is left to do in this order"
    step = waiting[0]
    if step.kind == Kind.HUMAN:
        return "a person decides this order first; see GET /v1/reviews"
    return f"this order waits for {step.node}, not for what was called for"
