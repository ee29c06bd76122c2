"""Request and response bodies of the routes of reviews: questions to people, and who has taken them."""

from typing import Any, Literal, Self

from schemas.access.person import PersonName
from schemas.core.form import Answered, Moment, Sent, Succeeded
from schemas.core.language import Language
from schemas.people.why import Why, WhyCode
from schemas.people.wording import worded


class WhyShown(Answered):
    """One thing that speaks for asking a person."""

    code: WhyCode
    params: dict[str, Any]
    """What the code's sentence is filled with; of a customer's words the places where they stand, or the words
    for who may know them."""
    text: str
    """Its sentence, in the language that was asked for."""

    @classmethod
    def of(cls, why: Why, language: Language) -> Self:
        """A code with its sentence."""
        return cls(**why.as_document(), text=worded(why, language))


class ReviewView(Answered):
    """A question to a person, as it stands."""

    review_id: str
    task_id: str | None
    execution_id: str
    step: str
    reason: str
    question: str
    """The sentences of `why`, in the language that was asked for; without codes the author's own words."""
    why: list[WhyShown]
    context: dict[str, Any]
    decisions: list[str]
    """The answers it accepts."""
    state: Literal["open", "decided", "cancelled"]
    opened_at: Moment
    deadline_at: Moment | None
    decided_at: Moment | None
    decided_by: str | None
    decision: dict[str, Any] | None
    claimed_by: str | None
    """Who has taken it; a claim ends after 30 minutes, of what was only opened after 5, unless it is renewed."""
    claimed_at: Moment | None
    claimed_until: Moment | None


class ReviewList(Answered):
    """Questions, the longest waiting first."""

    reviews: list[ReviewView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class ClaimMade(Sent):
    """A person takes a question, or gives it back."""

    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""


class ClaimTaken(Succeeded):
    """A claim, or its end, that stands."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; a claim made again is renewed."""
    review: ReviewView
