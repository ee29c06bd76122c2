"""What every page of the console shows at its top, and which lists have changed since the last look."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from storage.core.database import Database
from storage.engine.clock import BusinessClock, Moments
from storage.orders.contacts.stops import ContactStops, Stop
from storage.orders.figures.figures import Figures
from storage.outbound.feed import Cursor, Feed
from storage.people.pulse import WaitingForPeople

MOST_NAMED: Final = 200
"""Tasks that one look names at most; of more it says only that there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopBar:
    """The state of the whole in a line."""

    moments: Moments
    stops: Sequence[Stop]
    """Those in force, the newest first."""
    unaccounted: int
    """Orders that are neither closed, nor open with a next step, nor in review: 0, or a fault."""
    open_reviews: int
    open_alerts: int

    @property
    def business_now(self) -> datetime:
        """The time that orders live by."""
        return self.moments.business_now


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The top bar, and what has changed since the place of the last look."""

    bar: TopBar
    revisions: Mapping[str, str]
    """By the name of a list: another text when anything of it has changed."""
    tasks: Sequence[str]
    """Tasks and runs to which something happened since the last look."""
    is_cut: bool
    """Whether there were more than are named."""
    next: Cursor


def top_bar(database: Database) -> TopBar:
    """The state of the whole at this moment."""
    return read_pulse(database, None).bar


def read_pulse(database: Database, after: Cursor | None) -> Pulse:
    """The state of the whole, and what has changed since a place; since now where there is none."""
    with database.snapshot() as work:
        waiting = WaitingForPeople(work).look()
        stops = ContactStops(work).list(lifted=False, limit=20)
        figures = Figures(work)
        counters = figures.counters()
        ledger = figures.ledger(figures.orders(counters), figures.reviews(counters), counters.lost())
        moments = BusinessClock(work).now()
        feed = Feed(work)
        page = None if after is None else feed.page(after, limit=MOST_NAMED)
        place = feed.now() if page is None else page.next
    events = () if page is None else page.events
    return Pulse(
        bar=TopBar(
            moments=moments,
            stops=stops,
            unaccounted=ledger.unaccounted,
            open_reviews=waiting.open_reviews,
            open_alerts=waiting.open_alerts,
        ),
        revisions={
            "reviews": waiting.reviews_revision,
            "alerts": waiting.alerts_revision,
            "stops": " ".join(stop.stop_id for stop in stops),
            "clock": f"{moments.anchor.business_time} {moments.anchor.rate}",
        },
        tasks=tuple(
            dict.fromkeys(name for event in events for name in (event.task_id, event.execution_id) if name)
        ),
        is_cut=page is not None and not page.complete,
        next=place,
    )
