"""What the steps of an order's definition are given: read once, from the document that the engine carries.

A definition may lead to a step with more than it reads, and an older one with less, so what is unknown is ignored and
what is missing is `None`. `call` is what the caller of a manual order's step gave.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict

from schemas.orders.contact import Channel
from statemachine.orders.intents import Level2


def moment_of(value: object) -> datetime | None:
    """A moment as a step carries it: itself, or as ISO 8601; anything else is none."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def _text_of(value: object) -> str | None:
    return str(value) if value else None


def _day_of(value: object) -> date | None:
    if isinstance(value, date):
        return value
    return date.fromisoformat(value) if isinstance(value, str) and value else None


def _mapping_of(value: object) -> object:
    return value if isinstance(value, Mapping) else None


def _whole_of(value: object) -> object:
    return value if isinstance(value, int) else None


def _number_of(value: object) -> object:
    return value if isinstance(value, int | float) else None


_Text = Annotated[str | None, BeforeValidator(_text_of)]
_Moment = Annotated[datetime | None, BeforeValidator(moment_of)]
_Day = Annotated[date | None, BeforeValidator(_day_of)]
_Mapping = Annotated[Mapping[str, Any] | None, BeforeValidator(_mapping_of)]
_Number = Annotated[float | None, BeforeValidator(_number_of)]
_Whole = Annotated[int | None, BeforeValidator(_whole_of)]


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """The input in this document."""
        return cls.model_validate(document)


class TaskInput(_Given):
    """The input of `orchestrator.receive_task` and `orchestrator.validate_task`."""

    source: _Text = None
    callable: bool = False
    """Whether the customer can be reached by the number that came."""
    contact_count: int = 0
    max_contacts: int = 0
    hold: bool = False
    """Whether it begins only when somebody starts it."""


class StartGiven(_Given):
    """The signal that starts an order that is held."""

    by: str


class ContactGiven(_Given):
    """How an outside agent wants the contact made."""

    channel: Channel | None = None
    script_id: _Text = None


class ContactInput(_Given):
    """The input of `contact.initiate_contact`."""

    call: ContactGiven = ContactGiven()


class GivenClassification(_Given):
    """The classification that an outside agent made itself."""

    level2_intent: Level2
    confidence: float


class AnswerGiven(_Given):
    """What an outside agent has classified."""

    classification: GivenClassification | None = None
    words: _Text = None
    """A mark of the customer's words, by which calls are compared without telling them."""


class AnswerInput(_Given):
    """The input of `triage.classify_intent`: the contact in which the customer spoke."""

    contact_id: _Text = None
    call: AnswerGiven = AnswerGiven()


class ActionGiven(_Given):
    """What an outside agent wants carried out."""

    engineer_id: _Text = None
    visit_at: _Moment = None
    reason: _Text = None
    followup_date: _Moment = None
    followup_days: _Whole = None
    followup_rule: _Mapping = None

    def asked_followup(self) -> dict[str, object]:
        """What was asked for about the follow-up beside a date, as it is recorded with the action."""
        return self.model_dump(include={"followup_days", "followup_rule"} & self.model_fields_set)


class ActionInput(_Given):
    """The input of `action.execute_action`: the intent, and what was agreed about time."""

    intent_level1: _Text = None
    intent_level2: _Text = None
    decided_by: _Text = None
    """The person who decided the intent."""
    reason: _Text = None
    visit_at: _Moment = None
    visit_until: _Day = None
    date_words: _Text = None
    followup_at: _Moment = None
    followup_days: _Whole = None
    followup_by_default: bool | None = None
    followup_rule: _Mapping = None
    call: ActionGiven = ActionGiven()

    @property
    def named_followup(self) -> datetime | None:
        """The moment that the customer or a person named; `None` where it is the intent's default."""
        # A step that an older version of the fleet left behind does not say; a number of days means a default.
        by_default = (
            self.followup_days is not None if self.followup_by_default is None else self.followup_by_default
        )
        return None if by_default else self.followup_at


class StepError(_Given):
    """How a step failed."""

    code: _Text = None
    message: _Text = None


class ReviewInput(_Given):
    """The input of `orchestrator.decide_review`: what the question to a person is about."""

    origin: _Text = None
    """The step whose failure led to the question."""
    error: Annotated[StepError | None, BeforeValidator(_mapping_of)] = None
    """How that step failed."""
    review_reason: _Text = None
    contact_id: _Text = None
    intent_level2: _Text = None
    confidence: _Number = None
    model: _Text = None
