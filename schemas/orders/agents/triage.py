"""Request and response bodies of the triage agent's routes (seed 000 section 四, Triage)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.core.form import Answered, Sent, Succeeded, Text, storable_object
from schemas.core.identifier import Identifier
from schemas.core.whole_number import WholeNumber
from schemas.people.reviews import WhyShown
from statemachine.orders.intents import Level1, Level2


class Circumstance(BaseModel):
    """What the caller knows of the order beside the words; the order's own record is what counts."""

    model_config = ConfigDict(extra="allow", frozen=True)

    order_type: Text | None = Field(default=None, max_length=16)
    pending_reason: Text | None = Field(default=None, max_length=500)
    contact_count: WholeNumber | None = Field(default=None, ge=0, le=1000)

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        return storable_object(given) if isinstance(given, dict) else given


class ClassificationWanted(Sent):
    """What a customer said, to be understood."""

    task_id: Identifier
    user_input: Text | None = Field(default=None, min_length=1, max_length=4000, repr=False)
    """The customer's words; absent: those on record."""
    context: Circumstance = Field(default_factory=Circumstance)


class Understood(Answered):
    """An intent with its confidence."""

    level1_intent: Level1
    level2_intent: Level2
    confidence: float
    requires_human_review: bool
    """The whole verdict of confidence and guards."""
    reasons: list[str] = Field(default_factory=list)
    """Why a person must look first, in the language that was asked for."""
    why: list[WhyShown] = Field(default_factory=list)
    """The same as codes."""


class Classified(Succeeded):
    """What the customer wants, and what follows from it."""

    classification: Understood
    suggested_action: str | None
    followup_days: int | None


class ClaimedClassification(Sent):
    """A classification somebody made."""

    level1_intent: Level1
    level2_intent: Level2
    confidence: float = Field(ge=0, le=1, strict=True)


class ValidationWanted(Sent):
    """A classification to be checked against the words."""

    task_id: Identifier
    user_input: Text | None = Field(default=None, min_length=1, max_length=4000, repr=False)
    """The customer's words; absent: those on record."""
    classification: ClaimedClassification


class Validated(Succeeded):
    """Whether rules, model and guards agree with the classification."""

    valid: bool
    requires_human_review: bool
    reasons: list[str]
    """What speaks against it, in the language that was asked for."""
    why: list[WhyShown] = Field(default_factory=list)
    """The same as codes."""
