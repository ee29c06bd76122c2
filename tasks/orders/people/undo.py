"""Takes back a cancellation within its undo window; a person then decides the order."""

from enum import StrEnum
from typing import Final

from engine.engine import Engine
from engine.transaction import Transaction
from runtime.mask import mask_text
from schemas.orders.effects import Audit
from schemas.orders.step_inputs import ActionInput
from schemas.people.why import Why, WhyCode
from statemachine.orders.intents import Level1
from statemachine.orders.purposes import Purpose
from storage.engine.runs import Runs
from storage.orders.order import Order
from storage.orders.order_view import OrderView
from storage.orders.orders import Orders
from storage.orders.timeline import Timeline
from storage.people.reviews import Review, Reviews
from tasks.orders.agents.action_request import ACTION
from tasks.orders.rules.reasons import question_input

REASON: Final = "undo_requested"
"""Why the review is asked that a cancellation taken back leads to."""


class Undone(StrEnum):
    """What became of the wish to take a cancellation back."""

    DONE = "done"
    """It will not be carried out; a person decides how the order goes on."""
    REPEATED = "repeated"
    """It was taken back before, and a person has not decided yet."""
    UNDER_WAY = "under_way"
    """It is being carried out at this moment."""
    NOT_WAITING = "not_waiting"
    """No cancellation waits: none was agreed, or it was carried out."""
    UNKNOWN = "unknown"


def undo(engine: Engine, task_id: str, *, by: str, reason: str) -> tuple[Undone, Order | None, Review | None]:
    """Take back the cancellation that an order waits to have carried out.

    An offered one counts too: in a manual order no window passes, the cancellation waits for its caller alone.
    """
    with engine.transaction() as transaction:
        work = transaction.work
        order = Orders(work).find([task_id]).get(task_id)
        if order is None:
            return Undone.UNKNOWN, None, None
        Runs(work).lock([order.run_id])
        why = Why(WhyCode.UNDO_REQUESTED, {"by": by, "said": mask_text(reason)})
        became = take_back(transaction, order, by=by, reason=reason, why=why)
        is_asked = became in (Undone.DONE, Undone.REPEATED)
        return became, order, Reviews(work).open_of(task_id) if is_asked else None


def take_back(transaction: Transaction, order: Order, *, by: str, reason: str, why: Why) -> Undone:
    """Take the waiting cancellation back within a transaction that holds the lock of the order's run.

    `why` is what the person is asked who decides the order instead.
    """
    work = transaction.work
    review = Reviews(work).open_of(order.task_id)
    if review is not None and review.reason == REASON:
        return Undone.REPEATED
    waiting = next((s for s in OrderView(work).waiting_steps(order.run_id) if s.action == ACTION), None)
    if waiting is None or ActionInput.of(waiting.input).intent_level1 != Level1.TERMINATE:
        return Undone.NOT_WAITING
    given = {**waiting.input, "review_reason": REASON, **question_input(why)}
    if not transaction.divert_to(order.run_id, Purpose.REVIEW, given):
        return Undone.UNDER_WAY
    line = Audit(
        task_id=order.task_id,
        event_type=REASON,
        agent_id=by,
        action="undo",
        metadata={"step": waiting.node, "reason": mask_text(reason), "not_after": waiting.due_at},
    )
    Timeline(work).audit([line])
    return Undone.DONE
