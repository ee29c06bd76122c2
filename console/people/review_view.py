"""What the pages of reviews show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from console.people.question_fields import QuestionField
from console.server.form import EMPTY, Form
from statemachine.orders.intents import INTENTS, Level2
from storage.people.holds import HeldDecision
from tasks.orders.people.agreed_date import CalendarDay
from tasks.orders.people.worklist import DecidableReview, ListedReview

ACTING: Final = tuple(intent.level2 for intent in INTENTS.values() if intent.action)
"""The intents that lead to an action, in the order of their keys 1 to 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to decide: a key, and what it leads to."""

    decision: str
    intent: Level2 | None
    code: str
    """`KeyboardEvent.code`: an input method changes `key`."""
    mark: str
    """What is printed on the key."""
    is_suggested: bool
    at: datetime | None
    """When the customer would be contacted again."""

    @property
    def name(self) -> str:
        """The value that the form sends."""
        return self.intent.name.lower() if self.intent else self.decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Tray:
    """What a person has decided and can still undo."""

    template: ClassVar[str] = "people/tray.html"
    page: ClassVar[str] = "people.reviews"

    held: Sequence[tuple[HeldDecision, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewsPage:
    """The worklist, with one review opened or none."""

    template: ClassVar[str] = "people/reviews.html"
    page: ClassVar[str] = "people.reviews"

    rows: Sequence[ListedReview]
    now: datetime
    opened: DecidableReview | None
    is_mine: bool
    """Whether the person who looks has taken it, and so reads the words and may decide."""
    is_open: bool
    choices: Sequence[Choice]
    calendar: Sequence[CalendarDay]
    key: str
    """The idempotency key of the decision: sent again, it is the same one."""
    tray: Tray
    last: HeldDecision | None
    """The decision of this review that was held last."""
    form: Form = EMPTY
    fields: Sequence[QuestionField] = ()
    """What the question asks for beside the decision."""
    refusal: str | None = None
    """The key of the words that say why a decision was not taken."""


def choices_of(opened: DecidableReview, dates: Mapping[Level2, datetime]) -> list[Choice]:
    """The ways to decide that this review offers, each with its key."""
    offered = opened.review.decisions
    found: list[Choice] = []
    if "classify" in offered:
        found += [
            Choice(
                decision="classify",
                intent=level2,
                code=f"Digit{nth}",
                mark=str(nth),
                is_suggested=opened.suggestion == level2.value,
                at=dates.get(level2),
            )
            for nth, level2 in enumerate(ACTING, 1)
        ]
    keys = {"recontact": "R", "close": "C", "retry": "Y"}
    further = iter("6789")
    for decision in offered:
        if decision == "classify":
            continue
        mark = keys.get(decision) or next(further, "")
        code = (f"Digit{mark}" if mark.isdigit() else f"Key{mark}") if mark else ""
        found.append(
            Choice(decision=decision, intent=None, code=code, mark=mark, is_suggested=False, at=None)
        )
    return found
