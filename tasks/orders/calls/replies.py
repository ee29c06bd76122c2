"""A customer's words that an outside agent tells us: they count as the answer of an order it drives."""

from engine.transaction import Transaction
from runtime.ids import Prefix, new_id
from schemas.orders.effects import Move
from statemachine.orders.purposes import Purpose
from statemachine.orders.states import Event
from storage.orders.contacts.contact import InboundContact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order


def count_as_answer(transaction: Transaction, order: Order, words: str, agent_id: str) -> bool:
    """Keep the words and let the order be classified by them; `False` while something is at work in it.

    Raises:
        IllegalTransition: the order's state takes no answer; nothing was changed.
    """
    contact = InboundContact(
        contact_id=(contact_id := new_id(Prefix.CONTACT)),
        task_id=order.task_id,
        method="phone",
        words=words,
        contact_time=transaction.moments.business_now,
        key=f"told.{contact_id}",
        round=order.round,
    )
    given = {"contact_result": "answered", "contact_id": contact_id}
    if not transaction.divert_to(order.run_id, Purpose.ANSWER, given):
        return False
    Contacts(transaction.work).hear(contact)
    answered = Move(
        task_id=order.task_id,
        event=Event.USER_RESPONDED,
        agent_id=agent_id,
        changes={"last_contact_time": contact.contact_time},
        metadata={"contact_id": contact_id},
    )
    transaction.write([answered])
    return True
