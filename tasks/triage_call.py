"""A classification as an agent calls for it: of what the customer said, in the record's words or the caller's."""

from collections.abc import Mapping
from typing import Any

from engine.engine import Engine
from engine.transaction import Transaction
from schemas.effects import ContactNoted
from statemachine.states import State
from storage.calls import CalledStep, WaitingStep
from storage.contact import Contact
from storage.order import Order
from tasks.calling import Call
from tasks.told_words import count_as_answer

ACTION = "triage.classify_intent"


def triage_call(
    *, task_id: str, agent_id: str, words: str | None, classification: Mapping[str, Any] | None = None
) -> Call:
    """Classify what the customer said (seed 000 section 四, Triage)."""

    def recognises(transaction: Transaction, _: Order, step: CalledStep) -> bool:
        contact_id = str((step.output or {}).get("contact_id"))
        contact = transaction.work.contacts.by_ids([contact_id]).get(contact_id)
        return contact is not None and (words is None or words in _words_of(contact))

    def refuses(order: Order, _: WaitingStep) -> str | None:
        if classification is not None and order.mode == "auto":
            return "the fleet classifies this order itself"
        return None

    return Call(
        task_id=task_id,
        action=ACTION,
        action_type="classify_intent",
        agent_id=agent_id,
        given={"classification": dict(classification)} if classification else {},
        refuses=refuses,
        recognises=recognises,
    )


def note_words(engine: Engine, task_id: str, words: str, agent_id: str) -> str | None:
    """Keep what the caller heard the customer say, where a manual order can take it; else why it cannot.

    Words that come when the last attempt had come to nothing are the customer turning to us (SPEC.md §1).
    """
    with engine.transaction() as transaction:
        work = transaction.work
        order = work.orders.find([task_id]).get(task_id)
        if order is None:
            return None
        work.runs.lock([order.run_id])
        waiting = work.calls.open_steps(order.run_id)
        offered = next((step for step in waiting if step.action == ACTION and step.state == "offered"), None)
        if offered is not None and order.mode == "manual":
            _feed_back(transaction, str(offered.input.get("contact_id")), words)
        elif order.mode == "manual" and order.status is State.NO_RESPONSE:
            count_as_answer(transaction, order, words, agent_id)
        elif any(step.action == ACTION for step in waiting):
            contact = _contact_of(transaction, waiting)
            if contact is not None and words not in _words_of(contact):
                return "the customer's words on record are others"
        return None


def _feed_back(transaction: Transaction, contact_id: str, words: str) -> None:
    contact = transaction.work.contacts.by_ids([contact_id])[contact_id]
    if words not in _words_of(contact):
        noted = ContactNoted(contact_id=contact_id, status="concluded", user_feedback=words)
        transaction.work.contacts.note([noted])


def _contact_of(transaction: Transaction, waiting: list[WaitingStep]) -> Contact | None:
    step = next(step for step in waiting if step.action == ACTION)
    contact_id = str(step.input.get("contact_id"))
    return transaction.work.contacts.by_ids([contact_id]).get(contact_id)


def _words_of(contact: Contact) -> tuple[str | None, ...]:
    return contact.user_feedback, contact.transcript
