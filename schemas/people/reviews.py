"""Request and response bodies of the routes of reviews: questions to people, and who has taken them."""

from typing import Any, Literal

from schemas.access.person import PersonName
from schemas.core.form import Answered, Moment, Sent, Succeeded


class ReviewView(Answered):
    """A question to a person, as it stands."""

    review_id: str
    task_id: str | None
    execution_id: str
    step: str
    reason: str
    question: str
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
