"""Delivers a signal to its task: once, audited, with the same answer when repeated (SPEC.md §6).

A signal is applied in one transaction under the lock of the task's run, so whatever the fleet does at the same
moment happens before it or after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from engine.engine import Engine
from engine.outcomes import SignalResult
from engine.transaction import Transaction
from runtime.mask import mask_text
from schemas.core.effects import Effect
from schemas.orders.effects import Audit
from schemas.orders.signals import (
    CancelledUpstream,
    Continue,
    CustomerCalled,
    PartArrived,
    PhoneChanged,
    PriorityChanged,
    Said,
    Signal,
)
from schemas.outbound.effects import ProductEvent
from schemas.outbound.product_events import ProductEventType
from statemachine.workflow.definition import Kind
from storage.engine.runs import RunRow, Runs
from storage.orders.order import Order
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.orders.signals import KeptSignal, NewSignal, Signals
from tasks.orders.inbound.consequence import Consequence, ConsequenceKind, refused
from tasks.orders.inbound.customer_call import customer_called
from tasks.orders.inbound.occasion import OrderOccasion
from tasks.orders.inbound.order_change import order_cancelled, part_arrived, phone_changed, priority_changed
from tasks.orders.rules.context import Context

_FOR_ORDERS: Final[Mapping[type[Said], Callable[[OrderOccasion[Any]], Consequence]]] = MappingProxyType(
    {
        PartArrived: part_arrived,
        PhoneChanged: phone_changed,
        PriorityChanged: priority_changed,
        CancelledUpstream: order_cancelled,
        CustomerCalled: customer_called,
    }
)
"""What each signal does to an order."""


class ReceiptResult(StrEnum):
    """What became of a signal, as its sender sees it."""

    APPLIED = "applied"
    NOTED = "noted"
    REPEATED = "repeated"
    """It was taken before, with the same body: answered as then, and nothing was done twice."""
    OTHER_BODY = "other_body"
    """Another signal has this id: nothing was done."""
    BUSY = "busy"
    """Something is at work in the task: nothing was written, try again at once."""
    KEPT = "kept"
    """The same, and what it says is kept; sent again, it is applied."""
    REFUSED = "refused"
    """The task cannot take it as it stands: nothing was done."""
    UNKNOWN = "unknown"
    """There is no such task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The answer to a signal; `status` is the order's state, or the lifecycle of a run without an order."""

    result: ReceiptResult
    status: str = ""
    effect: str = ""
    order: Order | None = None


def receive(
    engine: Engine, context: Context, task_id: str, signal: Signal, *, retries_soon: bool = False
) -> Receipt:
    """Take one signal to an order or a run.

    Args:
        engine: The engine of this process.
        context: The tools and policies of the work.
        task_id: The order's id, or that of a run without an order.
        signal: What upstream says; a `PhoneChanged` with a number that was checked to be callable.
        retries_soon: Whether another try follows soon, so that nothing needs to be kept while the task is at work.
    """
    with engine.transaction() as transaction:
        work = transaction.work
        order = Orders(work).find([task_id]).get(task_id)
        runs = Runs(work).lock([order.run_id if order else task_id])
        if not runs or (order is None and runs[0].subject_id is not None):
            return Receipt(result=ReceiptResult.UNKNOWN)
        (run,) = runs
        # Read again under the lock: from here on it stands still.
        order = Orders(work).find([task_id])[task_id] if order else None
        known = Signals(work).find(task_id, signal.signal_id)
        digest = signal.digest()
        if known is not None and not known.sealed_digest.holds(digest.hex()):
            return Receipt(result=ReceiptResult.OTHER_BODY, status=known.status, order=order)
        if known is not None and known.outcome != ConsequenceKind.KEPT:
            return Receipt(
                result=ReceiptResult.REPEATED, status=known.status, effect=known.effect, order=order
            )
        came = _consequence(transaction, context, signal, run, order, retries_soon=retries_soon)
        status, order = _status_of(transaction, task_id, run, order)
        kept_before = known is not None and came.outcome is ConsequenceKind.KEPT
        if came.outcome not in (ConsequenceKind.REFUSED, ConsequenceKind.BUSY) and not kept_before:
            _keep(transaction, task_id, signal, came, status, known, digest)
            _record(transaction, run, signal, came, status)
        return Receipt(
            result=ReceiptResult(came.outcome.value), status=status, effect=came.effect, order=order
        )


def _consequence(
    transaction: Transaction,
    context: Context,
    signal: Signal,
    run: RunRow,
    order: Order | None,
    *,
    retries_soon: bool,
) -> Consequence:
    if isinstance(signal.said, Continue):
        return _continue(transaction, run, signal.said)
    if order is None:
        return refused(f"'{signal.type}' is for orders; a run without an order takes 'continue' only")
    occasion = OrderOccasion(
        transaction=transaction,
        context=context,
        signal=signal,
        said=signal.said,
        order=order,
        run=run,
        retries_soon=retries_soon,
    )
    return _FOR_ORDERS[type(signal.said)](occasion)


def _continue(transaction: Transaction, run: RunRow, said: Continue) -> Consequence:
    """End a wait that the run is in; what is said is its output, and the input of what follows."""
    waiting = [
        step.step_id
        for step in OrderView(transaction.work).open_steps(run.run_id)
        if step.node == said.step and step.kind == Kind.WAIT
    ]
    ended = transaction.complete(dict.fromkeys(waiting, said.output)) if waiting else {}
    if SignalResult.APPLIED not in ended.values():
        return refused(f"the run is {run.state.value}, and no wait of this name is under way in it")
    return Consequence(outcome=ConsequenceKind.APPLIED, effect=f"the wait '{said.step}' is over", title="")


def _status_of(
    transaction: Transaction, task_id: str, run: RunRow, order: Order | None
) -> tuple[str, Order | None]:
    """Where the task stands after the signal."""
    if order is not None:
        order = Orders(transaction.work).find([task_id])[task_id]
        return order.status.value, order
    (after,) = Runs(transaction.work).lock([run.run_id])
    return after.state.value, None


def _keep(
    transaction: Transaction,
    task_id: str,
    signal: Signal,
    came: Consequence,
    status: str,
    known: KeptSignal | None,
    digest: bytes,
) -> None:
    signals, outcome = Signals(transaction.work), came.outcome.value
    if known is not None:
        signals.settle(task_id, signal.signal_id, outcome=outcome, status=status, effect=came.effect)
        return
    signals.keep(
        NewSignal(
            task_id=task_id,
            signal_id=signal.signal_id,
            type=signal.type.value,
            body=signal.body(),
            digest=digest,
            outcome=outcome,
            status=status,
            effect=came.effect,
            sent_by=signal.sent_by,
        )
    )


def _record(transaction: Transaction, run: RunRow, signal: Signal, came: Consequence, status: str) -> None:
    effects: list[Effect] = []
    if run.subject_id is not None:
        effects.append(_line(run.subject_id, signal, came, status))
    if came.title is not None:
        kind = ProductEventType(signal.type.value)
        event = ProductEvent(
            execution_id=run.run_id,
            task_id=run.subject_id,
            event_type=kind.value,
            stage=kind.stage.value,
            title=f"{kind}.{came.title}" if came.title else kind.value,
            parameters=came.parameters,
            status=came.watched,
            request_id=signal.request_id,
        )
        effects.append(event)
    transaction.write(effects)


def _line(task_id: str, signal: Signal, came: Consequence, status: str) -> Audit:
    return Audit(
        task_id=task_id,
        event_type="signal_received",
        agent_id=signal.sent_by,
        action=signal.type.value,
        metadata={
            "signal_id": signal.signal_id,
            "outcome": came.outcome.value,
            "effect": came.effect,
            "status": status,
            "source": "upstream",
            **({"at": signal.at} if signal.at else {}),
            **({"request_id": signal.request_id} if signal.request_id else {}),
            **({"reason": mask_text(signal.reason)} if signal.reason else {}),
            **_shown(signal),
        },
    )


def _shown(signal: Signal) -> dict[str, object]:
    """What of a signal's own words may stand in the audit log: nothing a customer said, no number."""
    match signal.said:
        case PartArrived(part=part, note=note):
            shown = {"part": part, "note": note}
        case CancelledUpstream(reason=reason):
            shown = {"reason": reason}
        case CustomerCalled(channel=channel):
            shown = {"channel": channel}
        case _:
            return {}
    return {name: mask_text(words) for name, words in shown.items() if words}
