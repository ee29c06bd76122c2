"""A classification as an agent calls for it: of what the customer said, in the record's words or the caller's."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.transaction import Transaction
from runtime.blind_index import BlindIndex
from runtime.ids import Prefix, new_id
from schemas.orders.effects import ContactNoted
from statemachine.orders.states import State
from storage.core.unit_of_work import UnitOfWork
from storage.orders.calls import CalledStep, WaitingStep
from storage.orders.contacts.contact import Contact, InboundContact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from tasks.orders.calls.calling import Call
from tasks.orders.rules.answer import count_as_answer

ACTION = "triage.classify_intent"


@dataclass(frozen=True, slots=True)
class HeardWords:
    """What a caller heard a customer say, and a mark by which calls compare it without telling it."""

    text: str = field(repr=False)
    mark: str

    @classmethod
    def of(cls, text: str, task_id: str, blind_index: BlindIndex) -> "HeardWords":
        """These words about this order: the same words about another have another mark."""
        digest = hashlib.sha256(f"{task_id}\n{text}".encode()).digest()
        return cls(text, blind_index.keyed(digest).hex())


def triage_call(
    *,
    task_id: str,
    agent_id: str,
    words: HeardWords | None,
    classification: Mapping[str, Any] | None = None,
) -> Call:
    """Classify what the customer said (seed 000 section 四, Triage).

    The caller's words are noted in the transaction that takes the step, where a manual order can take them, so
    that nobody else's are classified for them. Words that come when the last attempt had come to nothing are
    the customer turning to us (SPEC.md §1).
    """
    return _Classifying(
        task_id=task_id, agent_id=agent_id, words=words, classification=classification
    ).as_call()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Classifying:
    """What a call for a classification makes of an order's steps."""

    task_id: str
    agent_id: str
    words: HeardWords | None
    classification: Mapping[str, Any] | None
    """The caller's own; a manual order is classified so."""

    def as_call(self) -> Call:
        """The step that is called for."""
        marked = {} if self.words is None else {"words": self.words.mark}
        own = None if self.classification is None else dict(self.classification)
        return Call(
            task_id=self.task_id,
            action=ACTION,
            action_type="classify_intent",
            agent_id=self.agent_id,
            given={"classification": own, **marked},
            turns=self._turns,
            refuses=self._refuses,
            recognises=self._recognises,
            notes=self._notes,
        )

    def _turns(self, transaction: Transaction, order: Order, waiting: Sequence[WaitingStep]) -> bool:
        takes_an_answer = order.mode == "manual" and order.status is State.NO_RESPONSE
        if self.words is None or not takes_an_answer or any(step.held for step in waiting):
            return False
        contact = InboundContact(
            contact_id=(contact_id := new_id(Prefix.CONTACT)),
            task_id=order.task_id,
            method="phone",
            words=self.words.text,
            contact_time=transaction.moments.business_now,
            key=f"told.{contact_id}",
            round=order.round,
        )
        if not count_as_answer(transaction, order, contact_id, contact.contact_time, agent_id=self.agent_id):
            return False
        Contacts(transaction.work).hear(contact)
        return True

    def _refuses(self, transaction: Transaction, order: Order, step: WaitingStep) -> str | None:
        if self.classification is not None and order.mode == "auto":
            return "the fleet classifies this order itself"
        if self.words is None or step.state == "offered":
            return None
        contact = _contact(transaction.work, step.input.get("contact_id"))
        if contact is None or _said(contact, self.words):
            return None
        return "the customer's words on record are others"

    def _recognises(self, transaction: Transaction, _: Order, step: CalledStep) -> bool:
        return is_of(transaction.work, step, self.words)

    def _notes(self, transaction: Transaction, step: WaitingStep) -> None:
        contact = _contact(transaction.work, step.input.get("contact_id"))
        if self.words is None or contact is None or _said(contact, self.words):
            return
        noted = ContactNoted(contact_id=contact.contact_id, status="concluded", user_feedback=self.words.text)
        Contacts(transaction.work).note([noted])


def is_of(work: UnitOfWork, step: CalledStep, words: HeardWords | None) -> bool:
    """Whether this step classified these words, as far as the caller says which."""
    contact = _contact(work, (step.output or {}).get("contact_id"))
    if contact is None or words is None:
        return contact is not None
    taken = (step.input.get("call") or {}).get("words", words.mark)
    return taken == words.mark and _said(contact, words)


def _contact(work: UnitOfWork, contact_id: object) -> Contact | None:
    return Contacts(work).by_ids([str(contact_id)]).get(str(contact_id))


def _said(contact: Contact, words: HeardWords) -> bool:
    """Whether the customer's words on record are these, as transcribed or as an agent noted them."""
    return words.text in (contact.user_feedback, contact.transcript)
