"""A classification requested by an agent: of the recorded words, or of the caller's.

The caller's words are noted in the transaction that takes the step, where a manual order can take them, so that
nobody else's are classified for them. Words that come when the last attempt had come to nothing are the customer
turning to us (SPEC.md §1).
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.blind_index import BlindIndex
from runtime.ids import Prefix, new_id
from schemas.core.language import Language
from schemas.orders.agents.triage import Classified, Understood
from schemas.orders.effects import ContactNoted
from schemas.orders.step_inputs import AnswerInput
from schemas.people.reviews import WhyShown
from schemas.people.why import why_in
from statemachine.orders.states import State
from statemachine.workflow.states import StepState
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.contact import Contact, InboundContact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order_view import StepResult, WaitingStep
from tasks.orders.calls.call import Asked, Call, Matcher
from tasks.orders.rules.answer import count_as_answer

ACTION: Final = "triage.classify_intent"


@dataclass(frozen=True, slots=True)
class CustomerWords:
    """What a customer said to a caller, and marks by which calls compare it without telling it."""

    text: str = field(repr=False)
    marks: tuple[str, ...]
    """The first is of the current index key; a call that was made before it changed is known by another."""

    @classmethod
    def of(cls, text: str, task_id: str, blind_index: BlindIndex) -> "CustomerWords":
        """These words about this order: the same words about another have another mark."""
        digest = hashlib.sha256(f"{task_id}\n{text}".encode()).digest()
        return cls(text, tuple(keyed.hex() for keyed in blind_index.keyed(digest)))


@dataclass(frozen=True, slots=True, kw_only=True)
class TriageCall:
    """What is to be classified: these words, else those on record."""

    words: CustomerWords | None = None
    classification: Mapping[str, Any] | None = None
    """The caller's own; a manual order is classified so."""
    language: Language = Language.CHINESE
    """Of the reasons in the answer."""


def _gives(wanted: TriageCall) -> Mapping[str, object]:
    marked = {} if wanted.words is None else {"words": wanted.words.marks[0]}
    own = None if wanted.classification is None else dict(wanted.classification)
    return {"classification": own, **marked}


def _refuses(asked: Asked[TriageCall], step: WaitingStep) -> str | None:
    words = asked.wanted.words
    if asked.wanted.classification is not None and asked.order.mode == "auto":
        return "the fleet classifies this order itself"
    if words is None or step.state is StepState.OFFERED:
        return None
    contact = _contact(asked.work, AnswerInput.of(step.input).contact_id)
    if contact is None or _said(contact, words):
        return None
    return "the customer's words on record are others"


def _recognises(asked: Asked[TriageCall], step: StepResult) -> bool:
    return _is_of(asked.work, step, asked.wanted.words)


def _reopens(asked: Asked[TriageCall], waiting: Sequence[WaitingStep]) -> bool:
    order, words, work = asked.order, asked.wanted.words, asked.work
    takes_an_answer = order.mode == "manual" and order.status is State.NO_RESPONSE
    if words is None or not takes_an_answer or any(step.held for step in waiting):
        return False
    contact = InboundContact(
        contact_id=(contact_id := new_id(Prefix.CONTACT)),
        task_id=order.task_id,
        method="phone",
        words=words.text,
        contact_time=asked.transaction.moments.business_now,
        key=f"told.{contact_id}",
        round=order.round,
    )
    counts = count_as_answer(
        asked.transaction, order, contact_id, contact.contact_time, agent_id=asked.call.agent_id
    )
    if counts:
        Contacts(work).add_inbound(contact)
    return counts


def _notes(asked: Asked[TriageCall], step: WaitingStep) -> None:
    words, contact = asked.wanted.words, _contact(asked.work, AnswerInput.of(step.input).contact_id)
    if words is None or contact is None or _said(contact, words):
        return
    noted = ContactNoted(contact_id=contact.contact_id, status="concluded", user_feedback=words.text)
    Contacts(asked.work).note([noted])


def _answers(work: UnitOfWork, call: Call[TriageCall], step: StepResult) -> Classified | None:
    """The classification that a step recorded; `None` when it is of other words than these."""
    if not _is_of(work, step, call.wanted.words):
        return None
    output: Mapping[str, Any] = step.output or {}
    reasons = [WhyShown.of(why, call.wanted.language) for why in why_in(output.get("why"))]
    return Classified(
        classification=Understood(
            level1_intent=output["intent_level1"],
            level2_intent=output["intent_level2"],
            confidence=output["confidence"],
            requires_human_review=output["requires_human_review"],
            reasons=[each.text for each in reasons],
            why=reasons,
        ),
        suggested_action=output.get("suggested_action"),
        followup_days=output.get("followup_days"),
    )


def _is_of(work: UnitOfWork, step: StepResult, words: CustomerWords | None) -> bool:
    """Whether this step classified these words, as far as the caller says which."""
    contact = _contact(work, (step.output or {}).get("contact_id"))
    if contact is None or words is None:
        return contact is not None
    taken = AnswerInput.of(step.input).call.words
    return (taken is None or taken in words.marks) and _said(contact, words)


def _contact(work: UnitOfWork, contact_id: object) -> Contact | None:
    return Contacts(work).by_ids([str(contact_id)]).get(str(contact_id))


def _said(contact: Contact, words: CustomerWords) -> bool:
    """Whether the customer's words on record are these, as transcribed or as an agent noted them."""
    return words.text in (contact.user_feedback, contact.transcript)


MATCHER: Final = Matcher(
    gives=_gives,
    refuses=_refuses,
    recognises=_recognises,
    reopens=_reopens,
    notes=_notes,
    answers=_answers,
)
"""How calls for a classification are matched and answered."""
