"""Decisions that are held for a few seconds before they are applied: request and response bodies, and their states."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.access.person import PersonName
from schemas.core.form import Answered, Moment, Sent, Succeeded
from schemas.people.interrupts import FormGiven
from schemas.people.reviews import ReviewView

LONGEST_HOLD: int = 30
"""Seconds that a decision may be held."""


class HoldState(StrEnum):
    """What became of a held decision."""

    HELD = "held"
    APPLIED = "applied"
    UNDONE = "undone"
    REFUSED = "refused"
    """It could not be applied when its time came; the question is back."""


class HoldMade(Sent):
    """A decision that is to be applied once its hold has ended."""

    payload: FormGiven
    """The decision as `POST /v1/interrupts/{interrupt_id}/continue` takes it."""
    idempotency_key: Annotated[
        str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_.:-]+$")
    ]
    """Sent again under the same key, it is the same hold."""
    by: PersonName | None = None
    """A label beside the key; who decides is the key's owner."""


class HoldView(Answered):
    """A held decision, as it stands."""

    hold_id: str
    review_id: str
    state: HoldState
    decision: str
    by: str
    made_at: Moment
    held_until: Moment
    """When it is applied, on the database's clock."""
    ended_at: Moment | None
    refusal: str | None = Field(default=None)
    """Why it was not applied: `ended`, `news`, `otherwise`, `claimed`, `not_allowed` or `fault` among others."""


class HoldTaken(Succeeded):
    """A hold, or its end, that stands."""

    outcome: Literal["held", "undone", "repeated"]
    """`held` until it is applied; `repeated` when it was so before."""
    hold: HoldView
    review: ReviewView


class ReviewTaken(Succeeded):
    """The review that is the caller's now; null where none waits that is free and theirs to answer."""

    review: ReviewView | None
