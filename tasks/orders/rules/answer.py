"""When words count as the customer's answer, and what that makes of the order: one rule, whoever brings them."""

from datetime import datetime

from engine.transaction import Transaction
from schemas.orders.effects import Move
from statemachine.orders.machine import ANSWERABLE
from statemachine.orders.purposes import Purpose
from statemachine.orders.states import Event
from storage.orders.order import Order


def count_as_answer(
    transaction: Transaction,
    order: Order,
    contact_id: str,
    contacted_at: datetime,
    *,
    agent_id: str,
    **metadata: object,
) -> bool:
    """Let an order be classified by the words of this contact, whatever else it waits for.

    Args:
        transaction: Holds the lock of the order's run.
        order: As it stands under that lock.
        contact_id: The contact in which the customer spoke; its row is there when the step begins.
        contacted_at: When that was.
        agent_id: Who brings the words.
        metadata: What the transition's row says beside the contact.

    Returns:
        `False` where the order's state takes no answer, or something is at work in it: nothing was changed.
    """
    if order.status not in ANSWERABLE:
        return False
    given = {"contact_result": "answered", "contact_id": contact_id}
    if not transaction.divert_to(order.run_id, Purpose.ANSWER, given):
        return False
    transaction.write([answered(order, contact_id, contacted_at, agent_id=agent_id, **metadata)])
    return True


def answered(
    order: Order, contact_id: str, contacted_at: datetime, *, agent_id: str, **metadata: object
) -> Move:
    """The transition by which the customer has answered."""
    return Move(
        task_id=order.task_id,
        event=Event.USER_RESPONDED,
        agent_id=agent_id,
        changes={"last_contact_time": last_contact_time(order, contacted_at)},
        metadata={"contact_id": contact_id, **metadata},
    )


def last_contact_time(order: Order, contacted_at: datetime) -> datetime:
    """When the order's customer was last in contact, given one more contact: it never moves back."""
    last = order.last_contact_time
    return max(last, contacted_at) if last else contacted_at
