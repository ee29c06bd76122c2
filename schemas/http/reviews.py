"""What the routes for people are sent and answer: questions, and the decisions that answer them."""

from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.http.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text
from statemachine.intents import INTENTS, Level2


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


class ReviewList(Answered):
    """Questions, the longest waiting first."""

    reviews: list[ReviewView]


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
    reason: Text | None = Field(default=None, min_length=1, max_length=500)
    """Why; `close` requires one."""
    intent_level2: Level2 | None = None
    """What the customer wants; `classify` requires it."""
    followup_at: GivenMoment | None = None
    """When to contact the customer again, where the intent postpones."""
    visit_at: GivenMoment | None = None
    """When the engineer may come, where the intent resumes."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.decision == "classify" and (
            self.intent_level2 is None or INTENTS[self.intent_level2].action is None
        ):
            offered = ", ".join(intent.level2 for intent in INTENTS.values() if intent.action)
            raise ValueError(f"'classify' needs an intent_level2 that leads to an action: {offered}")
        if self.decision == "close" and not (self.reason and self.reason.strip()):
            raise ValueError("'close' needs a reason")
        return self


class DecisionTaken(Succeeded):
    """A decision that stands."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when the same decision was made before; nothing was done twice."""
    review: ReviewView
