"""The numbers for metrics, read by the exporter in one snapshot.

Counters are what was counted of committed rows, so that they survive every restart and whatever is removed, and what
came since. What a read costs depends on what came since, on the hour or day it asks about, on what waits for people:
not on how many orders there were.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.orders.figures.feeds import (
    CONTACTS_ON,
    FEEDS,
    LATENESS_EDGES,
    LATENESS_ON,
    PROCESSING_EDGES,
    ZONE,
    Counted,
)

_NOT_FOLDED_YET: Final = 20_000
"""Rows of a feed behind its place that a read looks at; what lies behind them is counted once they were folded."""

# A moment is a subquery so that it is computed once and not for every row.
_HOUR_AGO = "(SELECT business_now() - interval '1 hour')"
_DAY_AGO = "(SELECT business_now() - interval '24 hours')"
_MIDNIGHT = f"(SELECT date_trunc('day', business_now(), '{ZONE}'))"

_PLACES = text("SELECT feed, place FROM figure_feeds")
# The places are given, so that the planner knows how few rows lie behind them.
_FOLDED = "SELECT name, labelled AS label, value FROM figures"
_SINCE = " UNION ALL ".join(
    f"""
    (WITH looked AS MATERIALIZED (
        SELECT {feed.position} AS position FROM {feed.table}
        WHERE {feed.position} > :{feed.name}
        ORDER BY {feed.position} LIMIT {_NOT_FOLDED_YET}
    ) SELECT name, label, CAST(value AS numeric) FROM ({feed.adds}) AS since)
    """
    for feed in FEEDS
)
_COUNTED = text(
    f"SELECT name, label, sum(value) AS value FROM ({_FOLDED} UNION ALL {_SINCE}) AS every GROUP BY name, label"
)
_TODAY = text("SELECT to_char(business_now() AT TIME ZONE :zone, 'YYYY-MM-DD')")
# Outside agents may write audit lines too, so nothing in them is taken to be of the right type.
_CONFIDENCE = text(
    f"""
    SELECT intent, avg(confidence) AS confidence
    FROM audit_figures
    WHERE timestamp >= {_HOUR_AGO} AND event_type = 'intent_classified' AND confidence IS NOT NULL
    GROUP BY intent
    """,
)
AUTOMATION: Final = """
    SELECT count(*) FILTER (WHERE executed AND NOT asked) AS alone,
           count(*) FILTER (WHERE executed OR asked) AS decided
    FROM (
        SELECT bool_or(event_type = 'intent_classified') AS triaged,
               bool_or(event_type = 'action_executed' AND automatic) AS executed,
               bool_or(event_type = 'review_opened') AS asked
        FROM audit_figures
        WHERE {within}
          AND event_type IN ('intent_classified', 'action_executed', 'review_opened')
        GROUP BY task_id
    ) AS orders WHERE triaged
    """
"""Of the triaged orders whose fate is known, those executed without a person, and all; `within` says of which time."""
_AUTOMATION = text(AUTOMATION.format(within=f"timestamp >= {_DAY_AGO}"))
_ALERTS = text(
    f"""
    SELECT (SELECT count(*) FROM alerts WHERE raised_at >= {_HOUR_AGO}) AS last_hour,
           (SELECT count(*) FROM alerts WHERE status <> 'resolved' AND handled_at IS NULL) AS active,
           today.raised AS today, today.handled AS handled_today
    FROM (SELECT count(*) AS raised, count(handled_at) AS handled FROM alerts WHERE raised_at >= {_MIDNIGHT}) AS today
    """,
)
_ASKED_TODAY = text(f"SELECT count(*) FROM reviews WHERE opened_at >= {_MIDNIGHT}")


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """Rounds that ended, and those of them in which an action was executed."""

    ended: int
    acted_on: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Seconds by bucket: how many are at or below each edge, how many in all, their sum."""

    at_most: tuple[int, ...]
    counted: int
    seconds: Decimal

    def edge_of(self, share: float, edges: Sequence[float]) -> float | None:
        """The smallest edge that this share is at or below; `None` where nothing was counted, or it lies beyond."""
        if not self.counted:
            return None
        needed = self.counted * share
        return next((edge for edge, count in zip(edges, self.at_most, strict=True) if count >= needed), None)


@dataclass(frozen=True, slots=True)
class ContactFigures:
    """Attempts that left for customers by one channel, and those answered."""

    channel: str
    attempts: int
    answered: int


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """Claims of an agent's steps, and those that ended in a failure, a retry or a crash."""

    agent: str
    requests: int
    errors: int


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """Orders by state, and those closed since midnight."""

    by_state: dict[str, int]
    closed_today: int


@dataclass(frozen=True, slots=True)
class AlertFigures:
    """Alerts raised in the last hour, not handled yet, raised since midnight, and handled of those."""

    last_hour: int
    active: int
    today: int
    handled_today: int


@dataclass(frozen=True, slots=True)
class ReviewFigures:
    """Questions that wait for a person, those that wait too long, and those asked since midnight.

    What was counted of one that is open is looked at again later: for some seconds it may be one that was just decided.
    """

    open: int
    overdue: int
    today: int
    orders: int
    """The orders that the open ones are about."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every accepted order by where it is: closed, open with a next step, or in review."""

    accepted: int
    closed: int
    open: int
    in_review: int

    @property
    def unaccounted(self) -> int:
        """Orders without a next step; any number but 0 is a bug."""
        return self.accepted - self.closed - self.open - self.in_review


@dataclass(frozen=True, slots=True)
class Counters:
    """What was counted since the beginning, by figure and label."""

    counted: Counted

    def of(self, name: str) -> Mapping[str, Decimal]:
        """A figure's values by label."""
        return {label: value for (figure, label), value in self.counted.items() if figure == name}

    def rounds(self) -> RoundFigures:
        """Rounds ended since the beginning (SPEC.md §9)."""
        return RoundFigures(self.one("rounds_ended"), self.one("rounds_acted_on"))

    def processing(self) -> Histogram:
        """The active time of every order whose run has ended; a step that was parked counts nothing."""
        return self._histogram("processing", "", PROCESSING_EDGES)

    def lateness(self, stage: str) -> Histogram:
        """How long after its moment what was waited for was `woken`, or `begun`: of each step that is over, once."""
        return self._histogram("lateness", stage, LATENESS_EDGES)

    def lateness_on(self, day: date) -> Histogram:
        """How long after its moment what was waited for was woken on a day of real time; its seconds are not kept."""
        return self._histogram(LATENESS_ON, day.isoformat(), LATENESS_EDGES)

    def contacts_on(self, day: date) -> int:
        """The contacts of a business day by any channel, with those just being made."""
        of_day = f"/{day.isoformat()}"
        return sum(int(value) for label, value in self.of(CONTACTS_ON).items() if label.endswith(of_day))

    def closed_on(self, day: date) -> int:
        """The orders closed on a business day."""
        return int(self.of("closed_on").get(day.isoformat(), 0))

    def contacts(self) -> tuple[ContactFigures, ...]:
        """Contacts since the beginning, by channel, without those that a channel refused."""
        answered = self.of("contact_answered")
        return tuple(
            ContactFigures(channel, int(attempts), int(answered.get(channel, 0)))
            for channel, attempts in self.of("contact_attempt").items()
        )

    def agents(self) -> tuple[AgentFigures, ...]:
        """Claims and errors since the beginning; a step cancelled between two claims counts one too many."""
        errors = self.of("agent_error")
        return tuple(
            AgentFigures(agent, int(requests), int(errors.get(agent, 0)))
            for agent, requests in self.of("agent_request").items()
        )

    def waiting(self) -> dict[tuple[str, str], int]:
        """The steps that wait for a moment, by queue and state, as they stood when they were last looked at."""
        found = {place.rpartition("/"): int(rows) for place, rows in self.of("queue_rows").items()}
        return {(queue, state): rows for (queue, _, state), rows in found.items() if rows}

    def lost(self) -> int:
        """Orders of which the walk over open ones found nothing that moves them on."""
        found = self.of("lost")
        return int(max(found.get("walked", Decimal()), found.get("walking", Decimal())))

    def _histogram(self, name: str, label: str, edges: Sequence[float]) -> Histogram:
        buckets = self.of(name)
        before = f"{label}/" if label else ""
        counts = [int(buckets.get(f"{before}{bucket}", 0)) for bucket in range(len(edges) + 1)]
        at_most = tuple(sum(counts[: edge + 1]) for edge in range(len(edges)))
        return Histogram(at_most, sum(counts), self.counted.get((f"{name}_seconds", label), Decimal()))

    def one(self, name: str) -> int:
        """A figure that has no label."""
        return int(self.counted.get((name, ""), 0))


@dataclass(frozen=True, slots=True)
class Figures(Repository):
    """Read-only queries."""

    def counters(self) -> Counters:
        """What was counted since the beginning."""
        places = dict.fromkeys((feed.name for feed in FEEDS), 0)
        places |= {row.feed: row.place for row in self.connection.execute(_PLACES) if row.feed in places}
        rows = self.connection.execute(_COUNTED, places)
        return Counters({(row.name, row.label): row.value for row in rows})

    def confidence(self) -> dict[str, float]:
        """The mean confidence of the last business hour's classifications, by intent that had any."""
        rows = self.connection.execute(_CONFIDENCE)
        return {row.intent: float(row.confidence) for row in rows if row.intent is not None}

    def automation(self) -> float | None:
        """Of the last 24 hours' triaged orders whose fate is known, the share executed without a person."""
        row = self.connection.execute(_AUTOMATION).one()
        return row.alone / row.decided if row.decided else None

    def orders(self, counters: Counters) -> OrderFigures:
        """Where the orders stand."""
        today = self.connection.execute(_TODAY, {"zone": ZONE}).scalar_one()
        by_state = {state: int(orders) for state, orders in counters.of("orders").items()}
        return OrderFigures(by_state, int(counters.of("closed_on").get(today, 0)))

    def alerts(self) -> AlertFigures:
        """How many alerts there are to look at."""
        row = self.connection.execute(_ALERTS).one()
        return AlertFigures(row.last_hour, row.active, row.today, row.handled_today)

    def reviews(self, counters: Counters) -> ReviewFigures:
        """How many questions wait for people."""
        return ReviewFigures(
            open=counters.one("reviews_open"),
            overdue=counters.one("reviews_overdue"),
            today=self.connection.execute(_ASKED_TODAY).scalar_one(),
            orders=counters.one("orders_in_review"),
        )

    @staticmethod
    def ledger(orders: OrderFigures, reviews: ReviewFigures, lost: int) -> Ledger:
        """Where every accepted order is; open is what is neither closed, nor in review, nor lost."""
        accepted, closed = sum(orders.by_state.values()), orders.by_state.get("closed", 0)
        # One that a decision has just closed may be counted as in review yet.
        in_review = min(reviews.orders, accepted - closed - lost)
        return Ledger(accepted, closed, accepted - closed - in_review - lost, in_review)
