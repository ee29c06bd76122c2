"""The numbers for metrics, read by the exporter in one snapshot.

Counters are counted from committed rows and so survive every restart. They fall only if rows are deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import DONE, ENDED, FAILED, PUBLISHED, READY, SCHEDULED

# A moment is a subquery so that it is computed once and not for every row.
_HOUR_AGO = "(SELECT business_now() - interval '1 hour')"
_DAY_AGO = "(SELECT business_now() - interval '24 hours')"
_MIDNIGHT = "(SELECT date_trunc('day', business_now(), CAST(:zone AS text)))"

# In waiting_followup the round has ended already; what happens to the order there ends none.
_ROUNDS = text(
    """
    SELECT count(*) AS ended, count(*) FILTER (WHERE from_state = 'action_taken') AS acted_on
    FROM transitions
    WHERE event IN ('intent=继续', 'intent=暂缓', 'intent=终止', 'contact.max_reached')
       OR (event IN ('review.close', 'task.cancel', 'task.timeout') AND from_state <> 'waiting_followup')
    """,
)
# Half a microsecond less, because Prometheus counts a value on an edge below it and width_bucket above it.
# Intervals and decimals are exact; a sum of floats may fall by a rounding error, which reads as a reset.
_PROCESSING = text(
    f"""
    SELECT width_bucket(active - 0.0000005, CAST(:edges AS numeric[])) AS bucket, count(*) AS orders,
           sum(active) AS seconds
    FROM (
        SELECT extract(epoch FROM coalesce(sum(greatest(s.finished_at - s.started_at, interval '0')),
                                           interval '0')) AS active
        FROM tasks t
        JOIN runs r ON r.run_id = t.run_id AND r.finished_at IS NOT NULL
        LEFT JOIN step_figures s ON s.run_id = t.run_id AND s.kind = 'action' AND s.state = {DONE}
            AND s.started_at IS NOT NULL AND s.code IS DISTINCT FROM 'parked'
        WHERE t.status = 'closed'
        GROUP BY t.task_id
    ) AS closed GROUP BY bucket
    """,
)
_CONTACTS = text(
    """
    SELECT contact_method AS channel, count(*) AS attempts,
           count(*) FILTER (WHERE contact_result = 'answered') AS answered
    FROM contact_logs WHERE status IN ('sent', 'concluded') AND direction = 'outbound' GROUP BY contact_method
    """,
)
# A row that waits for its next delivery has been claimed once less than it will have been.
_AGENTS = text(
    f"""
    SELECT queue, sum(CASE WHEN state IN ({SCHEDULED}, {READY}, {PUBLISHED}) THEN delivery - 1
                           ELSE delivery END) AS requests,
           sum(tries + crashes + CASE WHEN state = {FAILED} THEN 1 ELSE 0 END) AS errors
    FROM steps WHERE kind = 'action' AND queue IS NOT NULL AND started_at IS NOT NULL GROUP BY queue
    """,
)
# Outside agents may write audit lines too, so nothing in them is taken to be of the right type.
_CONFIDENCE = text(
    f"""
    SELECT intent, avg(confidence) AS confidence
    FROM audit_figures
    WHERE timestamp >= {_HOUR_AGO} AND event_type = 'intent_classified' AND confidence IS NOT NULL
    GROUP BY intent
    """,
)
_AUTOMATION = text(
    f"""
    SELECT count(*) FILTER (WHERE executed AND NOT asked) AS alone,
           count(*) FILTER (WHERE executed OR asked) AS decided
    FROM (
        SELECT bool_or(event_type = 'intent_classified') AS triaged,
               bool_or(event_type = 'action_executed' AND automatic) AS executed,
               bool_or(event_type = 'review_opened') AS asked
        FROM audit_figures
        WHERE timestamp >= {_DAY_AGO}
          AND event_type IN ('intent_classified', 'action_executed', 'review_opened')
        GROUP BY task_id
    ) AS orders WHERE triaged
    """,
)
_ORDERS = text(
    f"SELECT status, count(*) AS orders, count(*) FILTER (WHERE finished_at >= {_MIDNIGHT}) AS today "
    "FROM tasks GROUP BY status",
)
_ALERTS = text(
    f"""
    SELECT count(*) FILTER (WHERE raised_at >= {_HOUR_AGO}) AS last_hour,
           count(*) FILTER (WHERE handled_at IS NULL) AS active,
           count(*) FILTER (WHERE raised_at >= {_MIDNIGHT}) AS today,
           count(*) FILTER (WHERE raised_at >= {_MIDNIGHT} AND handled_at IS NOT NULL) AS handled_today
    FROM alerts
    """,
)
# A question's deadline is cleared once it was raised as an alert; after a day it is overdue all the same.
_REVIEWS = text(
    f"""
    SELECT count(*) FILTER (WHERE state = 'open') AS open,
           count(*) FILTER (WHERE state = 'open' AND (opened_at < {_DAY_AGO}
                            OR deadline_at < (SELECT business_now()))) AS overdue,
           count(*) FILTER (WHERE opened_at >= {_MIDNIGHT}) AS today
    FROM reviews
    """,
)
_LEDGER = text(
    f"""
    SELECT (SELECT count(*) FROM tasks) AS accepted,
           (SELECT count(*) FROM tasks WHERE status = 'closed') AS closed,
           count(*) FILTER (WHERE NOT in_review AND moves) AS open,
           count(*) FILTER (WHERE in_review) AS in_review
    FROM (
        SELECT EXISTS (SELECT FROM reviews r WHERE r.task_id = t.task_id AND r.state = 'open') AS in_review,
               EXISTS (SELECT FROM steps s WHERE s.run_id = t.run_id
                       AND s.state NOT IN ({ENDED})) AS moves
        FROM tasks t WHERE t.status <> 'closed'
    ) AS unfinished
    """,
)


@dataclass(frozen=True, slots=True)
class RoundFigures:
    """Rounds that ended, and those of them in which an action was executed."""

    ended: int
    acted_on: int


@dataclass(frozen=True, slots=True)
class ProcessingFigures:
    """Active seconds of closed orders: how many are at or below each edge, how many in all, their sum."""

    at_most: tuple[int, ...]
    orders: int
    seconds: Decimal


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
    """Questions that wait for a person, those that wait too long, and those asked since midnight."""

    open: int
    overdue: int
    today: int


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
class Figures(Repository):
    """Read-only queries; `zone` is the time zone whose midnight begins the business day."""

    zone: str = "Asia/Shanghai"

    def rounds(self) -> RoundFigures:
        """Rounds ended since the beginning (SPEC.md §9)."""
        row = self.connection.execute(_ROUNDS).one()
        return RoundFigures(row.ended, row.acted_on)

    def processing(self, edges: Sequence[float]) -> ProcessingFigures:
        """The active time of every order whose run has ended; a step that was parked counts nothing."""
        rows = {
            row.bucket: (row.orders, row.seconds)
            for row in self.connection.execute(_PROCESSING, {"edges": [Decimal(str(e)) for e in edges]})
        }
        counts = [rows.get(bucket, (0, Decimal()))[0] for bucket in range(len(edges) + 1)]
        at_most = tuple(sum(counts[: edge + 1]) for edge in range(len(edges)))
        return ProcessingFigures(at_most, sum(counts), sum((s for _, s in rows.values()), Decimal()))

    def contacts(self) -> tuple[ContactFigures, ...]:
        """Contacts since the beginning, by channel, without those that a channel refused."""
        rows = self.connection.execute(_CONTACTS)
        return tuple(ContactFigures(row.channel, row.attempts, row.answered) for row in rows)

    def agents(self) -> tuple[AgentFigures, ...]:
        """Claims and errors since the beginning; a step cancelled between two claims counts one too many."""
        rows = self.connection.execute(_AGENTS)
        return tuple(AgentFigures(row.queue, int(row.requests), int(row.errors)) for row in rows)

    def confidence(self) -> dict[str, float]:
        """The mean confidence of the last business hour's classifications, by intent that had any."""
        rows = self.connection.execute(_CONFIDENCE)
        return {row.intent: float(row.confidence) for row in rows if row.intent is not None}

    def automation(self) -> float | None:
        """Of the last 24 hours' triaged orders whose fate is known, the share executed without a person."""
        row = self.connection.execute(_AUTOMATION).one()
        return row.alone / row.decided if row.decided else None

    def orders(self) -> OrderFigures:
        """Where the orders stand."""
        rows = self.connection.execute(_ORDERS, {"zone": self.zone}).all()
        return OrderFigures({row.status: row.orders for row in rows}, sum(row.today for row in rows))

    def alerts(self) -> AlertFigures:
        """How many alerts there are to look at."""
        row = self.connection.execute(_ALERTS, {"zone": self.zone}).one()
        return AlertFigures(row.last_hour, row.active, row.today, row.handled_today)

    def reviews(self) -> ReviewFigures:
        """How many questions wait for people."""
        row = self.connection.execute(_REVIEWS, {"zone": self.zone}).one()
        return ReviewFigures(row.open, row.overdue, row.today)

    def ledger(self) -> Ledger:
        """Where every accepted order is; one snapshot, so that the accounts belong together."""
        row = self.connection.execute(_LEDGER).one()
        return Ledger(row.accepted, row.closed, row.open, row.in_review)
