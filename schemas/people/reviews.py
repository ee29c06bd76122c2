"""What the routes for people are sent and answer: questions, and the decisions that answer them."""

from typing import Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.core.form import Answered, GivenMoment, Moment, Remark, Sent, Succeeded, Text
from schemas.orders.followup import FollowupDays, FollowupRuleGiven, at_most_one, require_fitting
from schemas.people.person import PersonName
from statemachine.orders.intents import INTENTS, Level2

_EXAMPLE: Final[dict[str, Any]] = {
    "review_id": "REV0199f2c4a1b3c5d7e9f1a2b3c4",
    "task_id": "HT20260313001",
    "execution_id": "exec_0199f2c4a1b3c5d7e9f1a2b3c4",
    "step": "human_review",
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
_DECIDED: Final[dict[str, Any]] = _EXAMPLE | {
    "state": "decided",
    "decided_at": "2026-03-13T21:20:00.000Z",
    "decided_by": "王芳",
    "decision": {"decision": "classify", "intent_level2": "配件未到", "reason": "客户说等配件"},
}


class ReviewView(Answered):
    """A question to a person, as it stands."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

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


class ReviewShown(ReviewView):
    """A question to a person, with what must be known to decide it."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [_EXAMPLE | {"words": "嗯，那个再说吧"}]}
    )

    words: str | None = Field(default=None, repr=False)
    """What the customer said in the contact it is about, numbers masked; null unless it is open and the key has
    the scope `reviews`. Each look is a line in the order's audit log."""


class ReviewList(Answered):
    """Questions, the longest waiting first."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"reviews": [_EXAMPLE], "next_cursor": None}]}
    )

    reviews: list[ReviewView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class DecisionMade(Sent):
    """A person's answer to a question."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "decision": "classify",
                    "reason": "客户说等配件",
                    "intent_level2": "配件未到",
                    "followup_at": "2026-03-16T10:00:00+08:00",
                },
                {"decision": "close", "reason": "客户已在门店处理"},
            ]
        },
    )

    decision: Text = Field(min_length=1, max_length=32)
    """One of the review's `decisions`."""
    reason: Remark | None = Field(default=None, min_length=1, max_length=500)
    """Why; `close` requires one."""
    intent_level2: Level2 | None = None
    """What the customer wants; `classify` requires it."""
    followup_at: GivenMoment | None = None
    """When to contact the customer again, where the intent postpones."""
    followup_days: FollowupDays | None = None
    """The same as a number of days; at most one of the three ways to say when."""
    followup_rule: FollowupRuleGiven | None = None
    """The same, round after round; a date of the customer's own wins for its round."""
    visit_at: GivenMoment | None = None
    """When the engineer may come, where the intent resumes."""
    by: PersonName | None = None
    """Who decides; the key's agent when not named."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.decision == "classify" and (
            self.intent_level2 is None or INTENTS[self.intent_level2].action is None
        ):
            offered = ", ".join(intent.level2 for intent in INTENTS.values() if intent.action)
            raise ValueError(f"'classify' needs an intent_level2 that leads to an action: {offered}")
        at_most_one(
            followup_at=self.followup_at, followup_days=self.followup_days, followup_rule=self.followup_rule
        )
        require_fitting(
            self.decision,
            self.intent_level2,
            postponed=any((self.followup_at, self.followup_days, self.followup_rule)),
            visited=self.visit_at is not None,
        )
        if self.decision == "close" and not (self.reason and self.reason.strip()):
            raise ValueError("'close' needs a reason")
        return self


class ClaimMade(Sent):
    """A person takes a question, or gives it back."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"by": "王芳"}]})

    by: PersonName | None = None
    """Who; the key's agent when not named."""


class ClaimTaken(Succeeded):
    """A claim, or its end, that stands."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"success": True, "outcome": "applied", "review": _EXAMPLE}]},
    )

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; a claim made again is renewed."""
    review: ReviewView


class DecisionTaken(Succeeded):
    """A decision that stands."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"success": True, "outcome": "applied", "review": _DECIDED}]},
    )

    outcome: Literal["applied", "repeated"]
    """`repeated` when the same decision was made before; nothing was done twice."""
    review: ReviewView
