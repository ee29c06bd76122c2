"""What a person's decision teaches: the customer's words, what the model made of them, and what they meant."""

from collections.abc import Mapping
from typing import Any

from statemachine.orders.intents import Level2
from storage.core.unit_of_work import UnitOfWork
from storage.orders.labels import Label, NewLabel
from storage.people.reviews import Review
from tools.classifier.context import spell_out
from tools.classifier.normal_form import normalize
from tools.policies.shadow_mode import REASON
from training.labelled import LabelledWords
from training.record import RecordedDecision


def label_of(work: UnitOfWork, review: Review, level2: Level2, decided_by: str) -> NewLabel | None:
    """The label that deciding this review for this intent makes.

    `None` where the review is not about what was read in a customer's words, as of an order that failed
    elsewhere.
    """
    context: Mapping[str, Any] = review.context
    predicted, confidence, model = (context.get(name) for name in ("intent_level2", "confidence", "model"))
    contact_id = context.get("contact_id")
    if review.task_id is None or predicted is None or confidence is None or not model or not contact_id:
        return None
    contact = work.contacts.by_ids([str(contact_id)]).get(str(contact_id))
    words = (contact.user_feedback or contact.transcript) if contact else None
    if not words:
        return None
    in_shadow = review.reason == REASON
    return NewLabel(
        task_id=review.task_id,
        contact_id=str(contact_id),
        words=words,
        predicted_level2=str(predicted),
        confidence=float(confidence),
        automatic=in_shadow,
        model=str(model),
        level2=level2.value,
        source="shadow" if in_shadow else "review",
        labelled_by=decided_by,
    )


def lesson_of(label: Label) -> LabelledWords | None:
    """What a label teaches a model: the words as the classifier reads them; `None` where they were erased.

    Raises:
        UnreadableCiphertext: the words were encrypted with another key.
    """
    words = label.words
    if words is None:
        return None
    plain = normalize(words)
    in_full = spell_out(plain, label.pending_reason)
    return LabelledWords(
        name=label.label_id, text=words if in_full == plain else in_full, level2=Level2(label.level2)
    )


def decision_of(label: Label) -> RecordedDecision:
    """What a label says of the model that read the words."""
    return RecordedDecision(
        predicted=Level2(label.predicted_level2), automatic=label.automatic, level2=Level2(label.level2)
    )
