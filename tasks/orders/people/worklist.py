"""What a person sees who decides reviews: what waits, and everything about one that deciding takes."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from runtime.cipher import UnreadableCiphertext
from runtime.mask import mask_json
from schemas.core.language import Language
from schemas.orders.step_inputs import ReviewInput
from schemas.people.why import Why
from statemachine.orders.intents import INTENTS, Level2
from storage.core.database import Database
from storage.engine.clock import BusinessClock
from storage.orders.contacts.contact import Contact
from storage.orders.contacts.contacts import Contacts
from storage.orders.order import Order
from storage.orders.orders import Orders
from storage.people.reviews import Review, Reviews
from storage.people.worklist import EVERYTHING, RankedReview, Worklist, WorklistFilter, WorklistPlace
from tasks.orders.explain.dossier import phone_of
from tasks.orders.explain.situation import zone_of
from tasks.orders.people.revealing import words_to_decide_on
from tasks.orders.rules.agreement import postponed
from tasks.orders.rules.context import Context
from tasks.people.review_question import ReviewQuestion
from tools.contact_policy.zone import DEFAULT_ZONE
from tools.dates import date_spans
from tools.span import Span

SHOWN: Final = ("customer_name", "region", "product", "pending_reason")
"""What of an order's metadata is shown beside a question; whatever else a sender wrote there is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistRow:
    """An open question in the list: what it is about, without a customer's word."""

    review_id: str
    task_id: str | None
    run_id: str
    node: str
    reason: str
    question: str
    """Why it is asked, masked; what was kept of the customer's words is not in it."""
    suggestion: str | None
    """What was understood, on which a person has to decide."""
    product: str | None
    region: str | None
    workflow: str
    priority: int
    flagged: bool
    decisions: Sequence[str]
    opened_at: datetime
    deadline_at: datetime | None
    left: timedelta | None
    """Business time to its deadline, negative once it has passed."""
    claimed_by: str | None
    claimed_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorklistPage:
    """A page of the worklist, and how many there are, all as of one moment."""

    rows: Sequence[WorklistRow]
    total: int
    """How many the list has."""
    counts: Mapping[str, Mapping[str, int]]
    """By reason, suggestion and the like: how many it would have with that value."""
    next: WorklistPlace | None
    """What the next page begins after; `None` on the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidableReview:
    """A question with what must be known to decide it."""

    review: Review
    order: Order | None
    facts: Mapping[str, Any]
    phone: str | None
    question: str = field(repr=False)
    why: Sequence[Why] = field(repr=False)
    """What the question is made of, to be worded in any language."""
    words: str | None = field(repr=False)
    """What the customer said, numbers masked; `None` where there is nothing or it may not be seen."""
    spans: Sequence[Span]
    """The pieces of `words` that mattered, in order."""
    suggestion: str | None
    confidence: float | None
    contacts: Sequence[Contact]
    dates: Mapping[Level2, datetime]
    """When the customer would be contacted again, by the intents that postpone."""
    zone: ZoneInfo


def business_now(database: Database) -> datetime:
    """The time that orders live by."""
    with database.transaction() as work:
        return BusinessClock(work).now().business_now


def worklist_page(
    database: Database,
    context: Context,
    chosen: WorklistFilter = EVERYTHING,
    after: WorklistPlace | None = None,
    limit: int = 100,
    language: Language = Language.CHINESE,
) -> WorklistPage:
    """Open questions in the order in which people see to them, from behind the place on, with all counts."""
    with database.snapshot() as work:
        now = BusinessClock(work).now().business_now
        worklist = Worklist(work)
        found = worklist.page(chosen, now=now, after=after, limit=limit + 1)
        counts = worklist.counts(chosen)
    # A name that was declared personal since is not shown, nor told by what is counted.
    hidden = {name for name in ("product", "region") if context.personal.holds(name)}
    page = found[:limit]
    return WorklistPage(
        rows=[_row(ranked, hidden, now, language) for ranked in page],
        total=counts.total,
        counts={name: by for name, by in counts.by.items() if name not in hidden},
        next=page[-1].place if len(found) > limit else None,
    )


def decidable_review(
    database: Database,
    context: Context,
    review_id: str,
    *,
    words_for: str | None,
    language: Language = Language.CHINESE,
) -> DecidableReview | None:
    """One question; `words_for` is who sees the customer's words, which is on record, or `None` for nobody."""
    with database.transaction() as work:
        review = Reviews(work).find(review_id)
        if review is None:
            return None
        order = Orders(work).find([review.task_id]).get(review.task_id) if review.task_id else None
        contacts = Contacts(work).of_task(review.task_id) if review.task_id else []
        now = BusinessClock(work).now().business_now
    said = None
    if words_for is not None:
        # The question can be read, and decided by listening, when the key of the words is gone.
        with suppress(UnreadableCiphertext):
            said = words_to_decide_on(database, review, by=words_for)
    about = ReviewInput.of(review.context)
    asked = ReviewQuestion.of(review, language, mask_json if said is None else said.worded)
    is_open = review.state == "open" and order is not None
    return DecidableReview(
        review=review,
        order=order,
        facts=_facts(context, order),
        phone=phone_of(order) if order else None,
        question=asked.text,
        why=asked.why,
        words=None if said is None else said.shown,
        spans=[] if said is None or order is None else _spans(context, order, review, about, said.shown),
        suggestion=about.intent_level2,
        confidence=about.confidence,
        contacts=contacts,
        dates=_dates(context, order, now) if is_open and order is not None else {},
        zone=zone_of(order) if order else ZoneInfo(DEFAULT_ZONE),
    )


def _spans(context: Context, order: Order, review: Review, about: ReviewInput, words: str) -> list[Span]:
    """What in the words speaks for and against the suggestion, and names dates, as they are shown here."""
    reason = order.metadata.get("pending_reason")
    read = context.classifier.spans_of(
        words,
        level2=next((each for each in Level2 if each == about.intent_level2), None),
        confidence=about.confidence or 0.0,
        pending_reason=reason if isinstance(reason, str) else None,
    )
    zone, said_at = context.zone(order), review.opened_at
    return sorted([*read, *date_spans(words, now=said_at, zone=zone, calendar=context.calendar)])


def _row(ranked: RankedReview, hidden: Collection[str], now: datetime, language: Language) -> WorklistRow:
    review = ranked.review
    return WorklistRow(
        review_id=review.review_id,
        task_id=review.task_id,
        run_id=review.run_id,
        node=review.node,
        reason=review.reason,
        question=ReviewQuestion.of(review, language, mask_json).text,
        suggestion=ranked.suggestion or None,
        product=None if "product" in hidden else ranked.product or None,
        region=None if "region" in hidden else ranked.region or None,
        workflow=ranked.workflow,
        priority=ranked.priority,
        flagged=review.flagged,
        decisions=review.decisions,
        opened_at=review.opened_at,
        deadline_at=review.deadline_at,
        left=None if review.deadline_at is None else review.deadline_at - now,
        claimed_by=review.claimed_by,
        claimed_until=review.claimed_until,
    )


def _facts(context: Context, order: Order | None) -> Mapping[str, Any]:
    if order is None:
        return {}
    shown = {name: order.metadata[name] for name in SHOWN if name in order.metadata}
    return dict(mask_json(context.personal.mask(shown)))


def _dates(context: Context, order: Order, now: datetime) -> dict[Level2, datetime]:
    return {
        intent.level2: postponed(context, order, intent.followup_days, now, [])
        for intent in INTENTS.values()
        if intent.followup_days is not None
    }
