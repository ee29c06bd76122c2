"""When a customer is to be contacted again, as callers say it: a date, a number of days, or a rule."""

from datetime import date
from typing import Annotated, Final, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from schemas.core.form import Sent, Text
from schemas.core.times.cron import LONGEST, CronExpression
from schemas.core.whole_number import WholeNumber
from statemachine.orders.intents import INTENTS, Level1, Level2

EndingSignal = Literal["part_arrived"]
"""The signals that may end a rule."""

_FIRST_DAY: Final = date(2000, 1, 1)
_LAST_DAY: Final = date(2199, 12, 31)


def _readable(text: str) -> str:
    # A malformed expression is a ValueError, whose words are the problem's.
    return CronExpression.read(text).text


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is no time zone; name one as Asia/Shanghai") from error


Cron = Annotated[Text, Field(min_length=1, max_length=LONGEST), AfterValidator(_readable)]
Zone = Annotated[Text, Field(min_length=1, max_length=64), AfterValidator(_known_zone)]
Day = Annotated[date, Field(ge=_FIRST_DAY, le=_LAST_DAY)]
FollowupDays = Annotated[WholeNumber, Field(ge=1, le=365)]


class FollowupEnd(Sent):
    """How a rule ends; exactly one of the three."""

    date: Day | None = None
    """The last day, in the rule's zone, on which it is due."""
    count: WholeNumber | None = Field(default=None, ge=1, le=100)
    """How often it is due in all."""
    signal: EndingSignal | None = None
    """The signal to the order that ends it."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(end is not None for end in (self.date, self.count, self.signal)) != 1:
            raise ValueError("needs exactly one of date, count and signal")
        return self


class FollowupRuleGiven(Sent):
    """A recurring follow-up: every Monday at 10:00 until the part arrives.

    The clocks' changes are heeded: a time that is leapt over is due when they leap, one that comes twice is due
    once. Each time is moved to the next at which the customer may be contacted.
    """

    cron: Cron
    """Minute, hour, day of the month, month, day of the week."""
    timezone: Zone | None = None
    """On whose clock; the customer's when not named."""
    until: FollowupEnd
    most_rounds: WholeNumber = Field(default=12, ge=1, le=100)
    """How many rounds it may lead; then a person is asked."""


def require_fitting(decision: str, level2: Level2 | None, *, postponed: bool, visited: bool) -> None:
    """Return when what a person says about time belongs to what they decide.

    Args:
        decision: The person's decision.
        level2: The intent they chose.
        postponed: Whether they say when to contact the customer again.
        visited: Whether they say when the engineer may come.

    Raises:
        ValueError: it would be dropped.
    """
    level1 = INTENTS[level2].level1 if decision == "classify" and level2 is not None else None
    if postponed and level1 is not Level1.POSTPONE:
        raise ValueError("a follow-up time belongs to 'classify' with an intent that postpones")
    if visited and level1 is not Level1.RESUME:
        raise ValueError("a visit time belongs to 'classify' with an intent that resumes")


def at_most_one(**given: object) -> None:
    """Return when no more than one of these ways to name a time is given.

    Raises:
        ValueError: more are.
    """
    named = [name for name, value in given.items() if value is not None]
    if len(named) > 1:
        raise ValueError(f"needs only one of {', '.join(given)}; this has {' and '.join(named)}")
