"""Makes a label of a person's decision: the customer's words, the model's intent, the true intent."""

from schemas.orders.step_inputs import ReviewInput
from statemachine.orders.intents import Level2
from storage.core.unit_of_work import UnitOfWork
from storage.orders.contacts.contacts import Contacts
from storage.orders.labels import NewLabel
from storage.people.reviews import Review
from tools.policies.shadow_mode import REASON


def label_of(work: UnitOfWork, review: Review, level2: Level2, decided_by: str) -> NewLabel | None:
    """The label that deciding this review for this intent makes.

    `None` where the review is not about what was read in a customer's words, as of an order that failed
    elsewhere.
    """
    about = ReviewInput.of(review.context)
    if review.task_id is None or about.contact_id is None:
        return None
    if about.intent_level2 is None or about.confidence is None or about.model is None:
        return None
    contact = Contacts(work).by_ids([about.contact_id]).get(about.contact_id)
    words = (contact.user_feedback or contact.transcript) if contact else None
    if not words:
        return None
    in_shadow = review.reason == REASON
    return NewLabel(
        task_id=review.task_id,
        contact_id=about.contact_id,
        words=words,
        predicted_level2=about.intent_level2,
        confidence=about.confidence,
        automatic=in_shadow,
        model=about.model,
        level2=level2.value,
        source="shadow" if in_shadow else "review",
        labelled_by=decided_by,
    )
