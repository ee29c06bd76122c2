"""One order as its page shows it: its dossier, what happened by lane, and what there is to show of each attempt."""

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from runtime.clock import Anchor
from runtime.mask import mask_text
from storage.core.database import Database
from storage.core.unit_of_work import UnitOfWork
from storage.orders.lists.attempt_list import AttemptEvidence, AttemptList
from storage.orders.order_view import OrderView
from storage.outbound.deliveries import Deliveries
from storage.outbound.feed import Cursor, Feed
from tasks.orders.explain.dossier import Dossier, TimelineEntry, TimelineLane, entries_of, read_dossier
from tasks.orders.people.steering import OrderVerb, possible_verbs

MOST_EVENTS: Final = 500
MOST_DELIVERIES: Final = 200
_BEGINNING: Final = Cursor(0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpan:
    """A step of the order's run, on the database's clock: how long it waited, and how long it was worked at."""

    node: str
    title: str
    state: str
    queue: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    delivery: int
    tries: int
    crashes: int

    @property
    def waited_seconds(self) -> float | None:
        """From its creation until it began; `None` while it has not."""
        return None if self.started_at is None else (self.started_at - self.created_at).total_seconds()

    @property
    def worked_seconds(self) -> float | None:
        """From its beginning until its end; `None` while there is none."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFile:
    """Everything that the page of an order shows; numbers masked, no customer's word."""

    dossier: Dossier
    entries: Sequence[TimelineEntry]
    steps: Sequence[StepSpan]
    evidence: Sequence[AttemptEvidence]
    verbs: frozenset[OrderVerb]
    """What may be done to it as it stands."""


def read_file(database: Database, task_id: str) -> OrderFile | None:
    """An order at this moment; `None` when there is none of this id."""
    with database.snapshot() as work:
        dossier = read_dossier(work, task_id, words=False)
        if dossier is None:
            return None
        steps = [_span(dossier, row) for row in dossier.steps]
        entries = [
            *entries_of(dossier),
            *_questions(dossier),
            *_events(work, dossier),
            *_by_both_clocks(work, dossier, steps),
        ]
        return OrderFile(
            dossier=dossier,
            entries=sorted(entries, key=lambda entry: entry.at),
            steps=steps,
            evidence=AttemptList(work).evidence(task_id),
            verbs=possible_verbs(work, dossier.situation),
        )


def _span(dossier: Dossier, row: Mapping[str, Any]) -> StepSpan:
    return StepSpan(
        node=row["node"],
        title=dossier.situation.title(row["node"]),
        state=row["state"],
        queue=row["queue"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        delivery=row["delivery"],
        tries=row["tries"],
        crashes=row["crashes"],
    )


def _questions(dossier: Dossier) -> list[TimelineEntry]:
    found = []
    for review in dossier.reviews:
        found.append(
            TimelineEntry(review.opened_at, TimelineLane.REVIEWS, f"review {review.review_id}", review.reason)
        )
        if review.decided_at is not None:
            decision = str((review.decision or {}).get("decision", review.state))
            by = f"{decision} by {review.decided_by}" if review.decided_by else review.state
            found.append(
                TimelineEntry(review.decided_at, TimelineLane.REVIEWS, f"review {review.review_id}", by)
            )
    return found


def _events(work: UnitOfWork, dossier: Dossier) -> list[TimelineEntry]:
    page = Feed(work).page(_BEGINNING, run_id=dossier.order.run_id, limit=MOST_EVENTS)
    return [
        TimelineEntry(
            event.at, TimelineLane.EVENTS, f"{event.stage} · {event.event_type}", mask_text(event.title)
        )
        for event in page.events
    ]


def _by_both_clocks(work: UnitOfWork, dossier: Dossier, steps: Sequence[StepSpan]) -> Iterator[TimelineEntry]:
    """What has its time on the database's clock, when the business clock stood there: audit lines tell both clocks."""
    known = OrderView(work).moments(dossier.order.task_id)
    if not known:
        return
    rate = dossier.situation.moments.anchor.rate

    def business(moment: datetime) -> datetime:
        database_time, business_time = known[max(bisect(known, moment, key=lambda each: each[0]) - 1, 0)]
        return Anchor(database_time, business_time, rate).business(moment)

    for step in steps:
        if step.started_at is not None:
            yield TimelineEntry(business(step.started_at), TimelineLane.STEPS, step.title, step.state)
    for sent in Deliveries(work).log(task_id=dossier.order.task_id, limit=MOST_DELIVERIES):
        told = f"{sent.state}, {sent.tries} tries" + (f", {sent.last_status}" if sent.last_status else "")
        yield TimelineEntry(
            business(sent.ended_at or sent.created_at),
            TimelineLane.WEBHOOKS,
            f"{sent.event_type} → {sent.subscriber_id}",
            told,
        )
