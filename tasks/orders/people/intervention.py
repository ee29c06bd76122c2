"""The verbs of an order, each with its audit line: start, cancel, pause, resume, retry."""

from typing import Final

from engine.engine import Engine
from engine.outcomes import SignalResult
from engine.transaction import Transaction
from runtime.mask import mask_text
from schemas.orders.effects import Audit
from statemachine.orders.states import Event, State
from statemachine.workflow.states import OPEN_RUNS, RunState, StepState
from storage.engine.runs import Runs
from storage.orders.order import Order
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.orders.timeline import Timeline
from storage.people.reviews import Reviews
from tasks.orders.agents.orchestrator import VALIDATE
from tasks.orders.explain.situation import PAUSED
from tasks.orders.people.deciding import Decision, decide
from tasks.orders.rules.context import Context
from tasks.people.answers import Decided
from tasks.verbs import VerbResult

RESUMED: Final = "task_resumed"
"""The audit line of an order that was let go on."""

RETRIED: Final = "task_retried"
"""The audit line of an order whose failed run was let go on."""

_RETRY: Final = "retry"
"""The decision by which a person lets a step that failed run again."""


def start(engine: Engine, task_id: str, *, by: str) -> tuple[VerbResult, Order | None]:
    """Begin an order that is held; `NOTHING_TO_DO` for one that is not, `WAITS` while it is paused."""
    with engine.transaction() as transaction:
        work = transaction.work
        order = Orders(work).find([task_id]).get(task_id)
        if order is None:
            return VerbResult.UNKNOWN, None
        Runs(work).lock([order.run_id])
        waiting = OrderView(work).waiting_steps(order.run_id)
        held = [step for step in waiting if step.action == VALIDATE and step.state is StepState.PARKED]
        if any(step.held for step in held):
            return VerbResult.WAITS, order
        signal = {"type": Event.START.value, "by": by}
        ended = transaction.complete({step.step_id: signal for step in held}) if held else {}
        result = VerbResult.DONE if SignalResult.APPLIED in ended.values() else VerbResult.NOTHING_TO_DO
        return result, Orders(work).find([task_id])[task_id]


def cancel(engine: Engine, task_id: str, *, by: str, reason: str) -> tuple[VerbResult, Order | None]:
    """Cancel an order with everything open in it; work under way is refused when it is to be recorded."""
    with engine.transaction() as transaction:
        return cancel_within(transaction, task_id, by=by, reason=reason)


def cancel_within(
    transaction: Transaction, task_id: str, *, by: str, reason: str
) -> tuple[VerbResult, Order | None]:
    """Cancel an order as a part of this transaction; with the order as it stands then.

    Raises:
        IllegalTransition: the order's state does not allow it; nothing was changed.
    """
    order = Orders(transaction.work).find([task_id]).get(task_id)
    if order is None:
        return VerbResult.UNKNOWN, None
    ended = transaction.end([order.run_id], RunState.CANCELLED, agent_id=by, reason=reason)
    order = Orders(transaction.work).find([task_id])[task_id]
    if ended:
        return VerbResult.DONE, order
    is_cancelled = order.finish_reason == "cancelled"
    return VerbResult.NOTHING_TO_DO if is_cancelled else VerbResult.ENDED, order


def pause(
    engine: Engine, task_id: str, *, by: str, reason: str | None = None
) -> tuple[VerbResult, Order | None]:
    """Let nothing new begin in an order; times that were set stay as they are."""
    return _hold(engine, task_id, by=by, reason=reason, held=True)


def resume(
    engine: Engine, task_id: str, *, by: str, reason: str | None = None
) -> tuple[VerbResult, Order | None]:
    """Let a paused order go on; what came due meanwhile is due now."""
    return _hold(engine, task_id, by=by, reason=reason, held=False)


def retry(
    engine: Engine, context: Context, task_id: str, *, by: str, reason: str | None = None
) -> tuple[VerbResult, Order | None]:
    """Let an order go on at the step that failed: by the review that asks about it, or by its failed run."""
    with engine.database.transaction() as work:
        if task_id not in Orders(work).find([task_id]):
            return VerbResult.UNKNOWN, None
        review = Reviews(work).open_of(task_id)
    if review is None:
        return _go_on(engine, task_id, by=by, reason=reason)
    became = VerbResult.WAITS
    if _RETRY in review.decisions:
        decision = Decision(decision=_RETRY, decided_by=by, reason=reason)
        decided, _ = decide(engine, context, review.review_id, decision)
        became = _OF_DECISION[decided]
    with engine.database.transaction() as work:
        return became, Orders(work).find([task_id])[task_id]


_OF_DECISION: Final = {
    Decided.APPLIED: VerbResult.DONE,
    Decided.REPEATED: VerbResult.NOTHING_TO_DO,
    Decided.OTHERWISE: VerbResult.NOTHING_TO_DO,
    Decided.CLAIMED: VerbResult.WAITS,
    Decided.OWN: VerbResult.WAITS,
    Decided.COUNTED: VerbResult.WAITS,
    Decided.NOT_THEIRS: VerbResult.WAITS,
    Decided.BARRED: VerbResult.WAITS,
    Decided.UNKNOWN: VerbResult.NOTHING_TO_DO,
}


def _go_on(engine: Engine, task_id: str, *, by: str, reason: str | None) -> tuple[VerbResult, Order | None]:
    """Let the failed run of an order that is still open go on."""
    with engine.transaction() as transaction:
        work = transaction.work
        order = Orders(work).find([task_id])[task_id]
        (run,) = Runs(work).lock([order.run_id])
        if order.status is State.CLOSED:
            return VerbResult.ENDED, order
        if run.state in OPEN_RUNS:
            return VerbResult.NOTHING_TO_DO if run.state is RunState.RUNNING else VerbResult.WAITS, order
        if not transaction.retry([order.run_id]):
            return VerbResult.ENDED, order
        line = Audit(
            task_id=task_id,
            event_type=RETRIED,
            agent_id=by,
            action=_RETRY,
            metadata={"status": order.status.value, "reason": reason},
        )
        Timeline(work).audit([line])
        return VerbResult.DONE, order


def _hold(
    engine: Engine, task_id: str, *, by: str, reason: str | None, held: bool
) -> tuple[VerbResult, Order | None]:
    with engine.transaction() as transaction:
        work = transaction.work
        order = Orders(work).find([task_id]).get(task_id)
        if order is None:
            return VerbResult.UNKNOWN, None
        changed = transaction.pause([order.run_id]) if held else transaction.resume([order.run_id])
        if not changed:
            run = OrderView(work).run(order.run_id)
            is_so = run is not None and run.state is (RunState.PAUSED if held else RunState.RUNNING)
            return VerbResult.NOTHING_TO_DO if is_so else VerbResult.ENDED, order
        line = Audit(
            task_id=task_id,
            event_type=PAUSED if held else RESUMED,
            agent_id=by,
            action="pause" if held else "resume",
            metadata={"status": order.status.value} | ({"reason": mask_text(reason)} if reason else {}),
        )
        Timeline(work).audit([line])
        return VerbResult.DONE, order
