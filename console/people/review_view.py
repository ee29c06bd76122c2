"""What the pages of reviews show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from console.people.question_fields import QuestionField
from console.server.form import EMPTY, Form
from schemas.core.language import Language
from schemas.people.wording import decision_title, flag_title, intent_title
from statemachine.orders.intents import INTENTS, Level2
from storage.people.holds import HeldDecision
from tasks.orders.people.agreed_date import CalendarDay
from tasks.orders.people.worklist import DecidableReview, WorklistPage
from tools.span import Span, SpanKind

ACTING: Final = tuple(intent.level2 for intent in INTENTS.values() if intent.action)
"""The intents that lead to an action, in the order of their keys 1 to 5."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionChoice:
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

    title: str

    @property
    def name(self) -> str:
        """The value that the form sends."""
        return self.intent.name.lower() if self.intent else self.decision


@dataclass(frozen=True, slots=True)
class WordsPiece:
    """A piece of what the customer said, and what it does, where it matters."""

    text: str
    kind: str | None = None
    label: str | None = None


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

    listed: WorklistPage
    chosen: Mapping[str, str]
    """What the list is narrowed by, by the names in the address."""
    more: int | None
    """How many rows to ask for to see more; `None` where all are shown."""
    query: str
    """What the address carries on from page to page: the filters, with `?` before them."""
    now: datetime
    opened: DecidableReview | None
    is_mine: bool
    """Whether the person who looks has taken it, and so reads the words and may decide."""
    is_open: bool
    words: Sequence[WordsPiece]
    why: Sequence[str]
    """Why a person is asked, a sentence each."""
    choices: Sequence[DecisionChoice]
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


def pieces_of(words: str, spans: Sequence[Span], language: Language) -> list[WordsPiece]:
    """The words in their order, in pieces that matter and pieces between; where two overlap, the first is marked."""
    pieces: list[WordsPiece] = []
    at = 0
    for span in sorted(spans):
        if span.start < at or span.start >= span.end:
            continue
        if span.start > at:
            pieces.append(WordsPiece(words[at : span.start]))
        pieces.append(WordsPiece(words[span.start : span.end], span.kind.value, _label_of(span, language)))
        at = span.end
    return [*pieces, WordsPiece(words[at:])] if at < len(words) else pieces


def _label_of(span: Span, language: Language) -> str | None:
    match span.kind:
        case SpanKind.FOR | SpanKind.AGAINST:
            return intent_title(span.label, language)
        case SpanKind.FLAG:
            return flag_title(span.label, language)
        case SpanKind.DATE:
            return span.label
        case SpanKind.GUARD:
            return None


def choices_of(
    opened: DecidableReview, dates: Mapping[Level2, datetime], language: Language
) -> list[DecisionChoice]:
    """The ways to decide that this review offers, each with its key."""
    offered = opened.review.decisions
    found: list[DecisionChoice] = []
    if "classify" in offered:
        found += [
            DecisionChoice(
                decision="classify",
                intent=level2,
                code=f"Digit{nth}",
                mark=str(nth),
                is_suggested=opened.suggestion == level2.value,
                at=dates.get(level2),
                title=intent_title(level2.value, language),
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
            DecisionChoice(
                decision=decision,
                intent=None,
                code=code,
                mark=mark,
                is_suggested=False,
                at=None,
                title=decision_title(decision, language),
            )
        )
    return found
