"""What an agent calls for over the API: one claim path, so that callers and fleet never do a step twice.

A manual order's step is *offered*: the first call takes it, which publishes it to its agent's queue, and whoever
calls meanwhile waits for the same step. In an order the fleet drives, the step is under way already and the
caller waits beside it. A step that is done answers what was recorded (SPEC.md §6).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from engine.engine import Engine
from engine.transaction import Transaction
from runtime.ids import Prefix, new_id
from statemachine.workflow import Kind
from storage.calls import CalledStep, Dispatch, WaitingStep
from storage.order import Order

Refusing = Callable[[Order, WaitingStep], str | None]
"""Why a waiting step cannot be done as the caller wants it; `None` when it can."""
Recognising = Callable[[Transaction, Order, CalledStep], bool]
"""Whether a step that is done is what the caller asks for."""


Leading = Callable[[Transaction, Order, WaitingStep], bool]
"""Whether an offered step leads to the one that is meant, now."""


def _nothing_leads(_: Transaction, __: Order, ___: WaitingStep) -> bool:
    return False


def _never(_: Order, __: WaitingStep) -> None:
    return None


def _always(_: Transaction, __: Order, ___: CalledStep) -> bool:
    return True


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
    leads: Leading = _nothing_leads
    """Which offered step is taken on the way to the one that is meant."""
    refuses: Refusing = _never
    recognises: Recognising = _always


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The step is with its agent; `on_the_way` says that it only leads to the one that was called for."""

    dispatch_id: str
    step_id: int
    on_the_way: bool = False


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
        order = transaction.work.orders.find([call.task_id]).get(call.task_id)
        if order is None:
            return None
        transaction.work.runs.lock([order.run_id])
        waiting = transaction.work.calls.open_steps(order.run_id)
        meant = next((step for step in waiting if step.action == call.action), None)
        if meant is not None:
            return _join(transaction, order, call, meant)
        done = next(
            (
                step
                for step in transaction.work.calls.done(order.run_id, call.action)
                if call.recognises(transaction, order, step)
            ),
            None,
        )
        if done is not None:
            last = transaction.work.calls.last_of(done.step_id)
            return Recorded(done, last.dispatch_id if last else _keep(transaction, call, done))
        offered = (step for step in waiting if step.state == "offered")
        leading = next((step for step in offered if call.leads(transaction, order, step)), None)
        if leading is not None:
            return _take(transaction, order, call, leading, on_the_way=True)
        return Refused(order, _instead(waiting))


def _join(transaction: Transaction, order: Order, call: Call, step: WaitingStep) -> Begun:
    """The step that is meant is open: it is taken, waited for, or not due."""
    if step.held:
        return Refused(order, "the order is paused; resume it first")
    if step.state == "offered":
        return _take(transaction, order, call, step, on_the_way=False)
    if step.state == "scheduled" and step.due_at is not None:
        return Refused(order, f"{call.action_type} is not due yet", step.due_at)
    last = transaction.work.calls.last_of(step.step_id)
    if last is not None and last.given != call.given:
        return Refused(order, f"{call.action_type} is under way with other inputs, by {last.dispatch_id}")
    if last is None and call.given and (why := call.refuses(order, step)):
        return Refused(order, why)
    return UnderWay(last.dispatch_id if last else _keep(transaction, call, step), step.step_id)


def _take(
    transaction: Transaction, order: Order, call: Call, step: WaitingStep, *, on_the_way: bool
) -> Begun:
    why = None if on_the_way else call.refuses(order, step)
    if why is not None:
        return Refused(order, why)
    if not transaction.take(step.step_id, {} if on_the_way else call.given):
        return Refused(order, "the order is paused; resume it first")
    return UnderWay(_keep(transaction, call, step), step.step_id, on_the_way)


def _keep(transaction: Transaction, call: Call, step: WaitingStep | CalledStep) -> str:
    dispatch = Dispatch(
        dispatch_id=new_id(Prefix.DISPATCH),
        step_id=step.step_id,
        task_id=call.task_id,
        agent_id=call.agent_id,
        target_agent=call.action.partition(".")[0],
        action_type=call.action_type,
        given=call.given,
    )
    transaction.work.calls.keep(dispatch)
    return dispatch.dispatch_id


def _instead(waiting: list[WaitingStep]) -> str:
    """What the order waits for, when it is not what was called for."""
    if not waiting:
        return "nothing is left to do in this order"
    step = waiting[0]
    if step.kind == Kind.HUMAN:
        return "a person decides this order first; see GET /v1/reviews"
    return f"this order waits for {step.node}, not for what was called for"
