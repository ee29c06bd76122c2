"""What the routes of reviews are sent and answer: questions to people, and who has taken them."""

from typing import Any, Final, Literal

from pydantic import ConfigDict

from schemas.core.form import Answered, Moment, Sent, Succeeded
from schemas.people.person import PersonName

EXAMPLE: Final[dict[str, Any]] = {
    "review_id": "REV0199f2c4a1b3c5d7e9f1a2b3c4",
    "task_id": "HT20260313001",
    "execution_id": "exec_0199f2c4a1b3c5d7e9f1a2b3c4",
    "step": "step6_human_review",
    "reason": "low_confidence",
    "question": "客户的意图不明确，请回听录音后确认",
    "context": {"contact_id": "CONT0199f2c4a1b3c5d7e9f1a2b3c4"},
    "decisions": ["classify", "recontact", "close"],
    "state": "open",
    "opened_at": "2026-03-13T21:05:00.000Z",
    "deadline_at": "2026-03-14T21:05:00.000Z",
    "decided_at": None,
    "decided_by": None,
    "decision": None,
    "claimed_by": "王芳",
    "claimed_at": "2026-03-13T21:10:00.000Z",
}


class ReviewView(Answered):
    """A question to a person, as it stands."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [EXAMPLE]})

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
    """Who has taken it; a claim ends after 30 minutes unless it is renewed."""
    claimed_at: Moment | None


class ReviewList(Answered):
    """Questions, the longest waiting first."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"reviews": [EXAMPLE], "next_cursor": None}]}
    )

    reviews: list[ReviewView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class ClaimMade(Sent):
    """A person takes a question, or gives it back."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"by": "王芳"}]})

    by: PersonName | None = None
    """Who; the key's agent when not named."""


class ClaimTaken(Succeeded):
    """A claim, or its end, that stands."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"success": True, "outcome": "applied", "review": EXAMPLE}]},
    )

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; a claim made again is renewed."""
    review: ReviewView
