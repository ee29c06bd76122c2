"""Request and response bodies of an order's review: the customer's words, and the decision."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from schemas.access.person import PersonName
from schemas.core.form import Answered, GivenMoment, Moment, Remark, Sent, Succeeded, Text
from schemas.orders.followup import FollowupDays, FollowupRuleGiven, at_most_one, require_fitting
from schemas.people.interrupts import FormGiven
from schemas.people.reviews import ReviewView
from statemachine.orders.intents import INTENTS, Level2


class ReviewShown(ReviewView):
    """A question to a person, with what must be known to decide it."""

    words: str | None = Field(default=None, repr=False)
    """What the customer said in the contact it is about, numbers masked; null unless it is open and the key has
    the scope `reviews`. Each look is a line in the order's audit log."""


class WorklistRowView(Answered):
    """An open question in the worklist; none of the customer's words."""

    review_id: str
    task_id: str | None
    execution_id: str
    step: str
    reason: str
    question: str
    suggestion: str | None
    """What was understood, on which a person has to decide."""
    product: str | None
    region: str | None
    """Both as the order's metadata named them when the question was asked."""
    workflow: str
    priority: int
    flagged: bool
    """Whether the customer's words speak of danger or harm."""
    decisions: list[str]
    """The answers it accepts."""
    opened_at: Moment
    deadline_at: Moment | None
    seconds_left: int | None
    """To its deadline, on the business clock; negative once it has passed."""
    claimed_by: str | None
    """Who has taken it."""
    claimed_until: Moment | None


class WorklistCount(Answered):
    """How many questions the list would have with this value."""

    value: str
    """As the filter of this name takes it; empty for those that have none."""
    reviews: int


class WorklistView(Answered):
    """Open questions in the order in which they are seen to, and how many there are."""

    reviews: list[WorklistRowView]
    total: int
    """How many the whole list has."""
    counts: dict[str, list[WorklistCount]]
    """By `reason`, `suggestion`, `product`, `region`, `flagged` and `workflow`, each with the other filters applied."""
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class DecisionMade(Sent):
    """A person's answer to a question."""

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
    form: FormGiven = Field(default_factory=dict)
    """What the question asks for beside the decision, where it has a form."""
    by: PersonName | None = None
    """A label beside the key that decides."""

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


class DecisionTaken(Succeeded):
    """A decision that stands."""

    outcome: Literal["applied", "counted", "repeated"]
    """`repeated` when the same decision was made before; nothing was done twice. `counted` where it takes more
    people, and not enough have decided so."""
    review: ReviewView


def order_answer_schema(decisions: Sequence[str], form: Mapping[str, Any] | None) -> dict[str, Any]:
    """What an answer about an order holds: a `DecisionMade` with one of these decisions, and this form."""
    schema = DecisionMade.model_json_schema()
    properties = {name: kind for name, kind in schema["properties"].items() if name not in ("by", "form")}
    properties["decision"] = {"enum": list(decisions)}
    if form is not None:
        properties["form"] = dict(form)
        schema["required"] = [*schema["required"], "form"]
    return schema | {"properties": properties}
