"""The customer turned to us: their words are kept, and lead on where the order can take an answer."""

import hashlib
from typing import Final

from runtime.ids import Prefix, new_id
from schemas.effects import AlertRaised, Effect, Move
from schemas.signals import CustomerCalled
from statemachine.states import Event, State
from storage.contact import InboundContact
from tasks.consequence import Consequence, Outcome, closed, refused
from tasks.occasion import OrderOccasion

_TRIAGE: Final = "step5_triage"
_TAKES_AN_ANSWER: Final = frozenset({State.CONTACTING, State.NO_RESPONSE, State.WAITING_FOLLOWUP})
"""Where the table has `user.responded` (SPEC.md §1)."""
_MOST_CALLS: Final = 1000
"""How often a customer may turn to us in one round; more is a fault of the sender."""
_TITLES: Final = {"phone": "客户来电", "sms": "客户发来短信", "im": "客户发来消息"}


def customer_called(occasion: OrderOccasion[CustomerCalled]) -> Consequence:
    """Let the words count as the customer's answer, or keep them and call a person.

    What the order waits for is dropped for it. A contact in someone's hands is not cut off: its attempt has a
    result of its own. While there is one, nothing is written if another try follows (`patient`); else the words
    are kept with an alert, and the same signal applies them later.
    """
    order, work = occasion.order, occasion.transaction.work
    if order.status is State.CLOSED:
        return closed()
    key = _key(occasion)
    kept = work.contacts.inbound(key)
    if kept is None and work.contacts.inbound_in_round(order.task_id, order.round) >= _MOST_CALLS:
        return refused(f"the customer is said to have called {_MOST_CALLS} times in this round already")
    contact = _contact(occasion, key, kept.contact_id if kept else new_id(Prefix.CONTACT))
    if order.status not in _TAKES_AN_ANSWER or occasion.open_review() is not None:
        _keep(occasion, contact, known=kept is not None)
        return Consequence(
            outcome=Outcome.NOTED,
            effect=f"the words are kept for a person, who was alerted; the order stays {order.status}",
            title=f"{_TITLES[contact.method]}, 等待人工查看",
            watched="waiting",
        )
    given = {"contact_result": "answered", "contact_id": contact.contact_id}
    if not occasion.transaction.divert(order.run_id, _TRIAGE, given):
        return _in_the_way(occasion, contact, known=kept is not None)
    if kept is None:
        work.contacts.hear(contact)
    occasion.write([_answered(occasion, contact)])
    return Consequence(
        outcome=Outcome.APPLIED,
        effect="the words count as the customer's answer and are being understood",
        title=_TITLES[contact.method],
    )


def _in_the_way(
    occasion: OrderOccasion[CustomerCalled], contact: InboundContact, *, known: bool
) -> Consequence:
    if occasion.patient:
        return Consequence(outcome=Outcome.BUSY, effect="something is at work in the order just now")
    _keep(occasion, contact, known=known)
    return Consequence(
        outcome=Outcome.KEPT,
        effect="the words are kept and a person was alerted, but something is at work in the order just now: "
        "send the same signal again to have them count as the customer's answer",
        title=f"{_TITLES[contact.method]}, 已保留",
        watched="waiting",
    )


def _keep(occasion: OrderOccasion[CustomerCalled], contact: InboundContact, *, known: bool) -> None:
    """Keep the words and call a person, once a signal."""
    if known:
        return
    occasion.transaction.work.contacts.hear(contact)
    alert: Effect = AlertRaised(
        alert_type="customer_called",
        severity="warning",
        message=f"{_TITLES[contact.method]}, 请查看内容并处理",
        task_id=contact.task_id,
        metadata={
            "contact_id": contact.contact_id,
            "signal_id": occasion.signal.signal_id,
            "status": occasion.order.status.value,
        },
    )
    occasion.write([alert])


def _answered(occasion: OrderOccasion[CustomerCalled], contact: InboundContact) -> Move:
    last = occasion.order.last_contact_time
    return Move(
        task_id=contact.task_id,
        event=Event.USER_RESPONDED,
        agent_id=occasion.signal.sent_by,
        changes={"last_contact_time": max(last, contact.contact_time) if last else contact.contact_time},
        metadata={"contact_id": contact.contact_id, "signal_id": occasion.signal.signal_id},
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
