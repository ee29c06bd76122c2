"""Handles a customer who contacts us: the words are stored, and used as the answer where the order can take one."""

import hashlib
from typing import Final

from runtime.ids import Prefix, new_id
from schemas.orders.signals import CustomerCalled
from statemachine.orders.machine import ANSWERABLE
from statemachine.orders.states import State
from storage.orders.contacts.contact import InboundContact
from storage.orders.contacts.contacts import Contacts
from tasks.orders.inbound.consequence import Consequence, ConsequenceKind, closed, refused
from tasks.orders.inbound.further_words import act_on_words
from tasks.orders.inbound.occasion import OrderOccasion
from tasks.orders.rules.answer import count_as_answer

_MOST_CALLS: Final = 1000
"""How often a customer may turn to us in one round; more is a fault of the sender."""


def customer_called(occasion: OrderOccasion[CustomerCalled]) -> Consequence:
    """Let the words count as the customer's answer, or keep them and call a person.

    What the order waits for is dropped for it. A contact in someone's hands is not cut off: its attempt has a
    result of its own. While there is one, nothing is written if another try follows (`retries_soon`); else the words
    are kept with an alert, and the same signal applies them later.
    """
    order, work = occasion.order, occasion.transaction.work
    if order.status is State.CLOSED:
        return closed()
    key = _key(occasion)
    kept = Contacts(work).inbound(key)
    if kept is None and Contacts(work).inbound_in_round(order.task_id, order.round) >= _MOST_CALLS:
        return refused(f"the customer is said to have called {_MOST_CALLS} times in this round already")
    contact = _contact(occasion, key, kept.contact_id if kept else new_id(Prefix.CONTACT))
    if order.status not in ANSWERABLE or occasion.open_review() is not None:
        taken_back = _keep(occasion, contact, known=kept is not None)
        what = "; the cancellation that waited is taken back" if taken_back else ""
        return Consequence(
            outcome=ConsequenceKind.NOTED,
            effect=f"the words are kept for a person, who was alerted; the order stays {order.status}{what}",
            title=f"{contact.method}_waits",
            watched="waiting",
        )
    signal = occasion.signal
    if not count_as_answer(
        occasion.transaction,
        order,
        contact.contact_id,
        contact.contact_time,
        agent_id=signal.sent_by,
        signal_id=signal.signal_id,
    ):
        return _in_the_way(occasion, contact, known=kept is not None)
    if kept is None:
        Contacts(work).add_inbound(contact)
    return Consequence(
        outcome=ConsequenceKind.APPLIED,
        effect="the words count as the customer's answer and are being understood",
        title=contact.method,
    )


def _in_the_way(
    occasion: OrderOccasion[CustomerCalled], contact: InboundContact, *, known: bool
) -> Consequence:
    if occasion.retries_soon:
        return Consequence(outcome=ConsequenceKind.BUSY, effect="something is at work in the order just now")
    _keep(occasion, contact, known=known)
    return Consequence(
        outcome=ConsequenceKind.KEPT,
        effect="the words are kept and a person was alerted, but something is at work in the order just now: "
        "send the same signal again to have them count as the customer's answer",
        title=f"{contact.method}_kept",
        watched="waiting",
    )


def _keep(occasion: OrderOccasion[CustomerCalled], contact: InboundContact, *, known: bool) -> bool:
    """Keep the words and call a person, once a signal; whether a cancellation was taken back for them."""
    if known:
        return False
    Contacts(occasion.transaction.work).add_inbound(contact)
    return act_on_words(
        occasion.transaction,
        occasion.context,
        occasion.order,
        words=contact.words,
        method=contact.method,
        where={"contact_id": contact.contact_id, "signal_id": occasion.signal.signal_id},
    )


def _contact(occasion: OrderOccasion[CustomerCalled], key: str, contact_id: str) -> InboundContact:
    said, now = occasion.said, occasion.transaction.moments.business_now
    return InboundContact(
        contact_id=contact_id,
        task_id=occasion.order.task_id,
        method=said.channel,
        words=said.words,
        contact_time=min(said.at, now) if said.at else now,
        key=key,
        round=occasion.order.round,
    )


def _key(occasion: OrderOccasion[CustomerCalled]) -> str:
    """One contact a signal, whatever is repeated; no provider can name it."""
    named = f"{occasion.order.task_id}\n{occasion.signal.signal_id}"
    return f"in.{hashlib.sha256(named.encode()).hexdigest()[:48]}"
