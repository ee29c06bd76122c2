"""The feeds that figures are counted from, and what a row of each adds to which figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from statemachine.orders.states import State
from storage.engine.states import DONE, ENDED, FAILED, PUBLISHED, READY, SCHEDULED, TIMED

PROCESSING_EDGES: Final = (1, 5, 15, 30, 60, 120, 240, 300, 420, 600, 900, 1800, 3600)
"""Bucket edges in seconds; 300 is the objective, and its neighbours keep the interpolated P95 honest. What is counted
stays in its bucket: with other edges the figure begins anew under another name."""

LATENESS_EDGES: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Bucket edges in seconds; what was waited for stands behind new work for 600 at most."""

ZONE: Final = "Asia/Shanghai"
"""The time zone whose midnight begins the business day."""

CONTACTS_ON: Final = "contacts_on"
"""The figure of a day's contacts by channel, `phone/2026-11-30`, with those that are just being made."""


LATENESS_ON: Final = "lateness_on"
"""The figure of a day's steps by how late they were woken, `2026-11-30/4`: both in real time."""


def day_of(moment: str) -> str:
    """The business day of a moment, as SQL."""
    return f"to_char({moment} AT TIME ZONE '{ZONE}', 'YYYY-MM-DD')"


@dataclass(frozen=True, slots=True)
class FigureFeed:
    """Rows in the order in which they were written.

    Attributes:
        name: Under which its place is kept.
        table: Where the rows are.
        position: The column that orders them: an identity, so that a later row has a larger one.
        adds: In SQL, what each row of the relation `looked` adds: `position`, whether nothing about it changes any more
            (`final`), and the `name`, `label` and `value` of the figure.
    """

    name: str
    table: str
    position: str
    adds: str


def _bucket(seconds: str, edges: Sequence[float]) -> str:
    """The bucket of this many seconds, as SQL.

    Half a microsecond less, because Prometheus counts a value on an edge below it and width_bucket above it.
    """
    among = f"CAST(ARRAY[{', '.join(map(str, edges))}] AS numeric[])"
    return f"CAST(width_bucket({seconds} - 0.0000005, {among}) AS text)"


# How late a step was that waited for a moment is counted once it is over, so that no bucket ever falls.
# A row that waits for its next delivery has been claimed once less than it will have been.
_STEPS: Final = f"""
    SELECT s.step_id AS position, s.state IN ({ENDED}) AS final, v.name, v.label, v.value
    FROM looked JOIN steps s ON s.step_id = looked.position CROSS JOIN LATERAL (VALUES
        ('agent_request', s.queue, CASE WHEN s.kind <> 'action' OR s.started_at IS NULL THEN 0
            WHEN s.state IN ({SCHEDULED}, {READY}, {PUBLISHED}) THEN s.delivery - 1 ELSE s.delivery END),
        ('agent_error', s.queue, CASE WHEN s.kind <> 'action' OR s.started_at IS NULL THEN 0
            ELSE s.tries + s.crashes + CAST(s.state = {FAILED} AS integer) END),
        ('queue_rows', s.queue || '/' || s.state, CAST(s.state IN ({TIMED}) AND NOT s.held AS integer))
        UNION ALL SELECT f.name, f.label, f.value FROM (VALUES
            ('woken', extract(epoch FROM s.late_by)),
            ('begun', extract(epoch FROM s.late_by + (s.started_at - s.ready_at)))
        ) AS late(stage, seconds) CROSS JOIN LATERAL (VALUES
            ('lateness', late.stage || '/' || {_bucket("late.seconds", LATENESS_EDGES)}, 1),
            ('lateness_seconds', late.stage, late.seconds),
            ('{LATENESS_ON}', {day_of("s.ready_at")} || '/' || {_bucket("late.seconds", LATENESS_EDGES)},
                CAST(late.stage = 'woken' AND s.ready_at IS NOT NULL AS integer))
        ) AS f(name, label, value)
        WHERE s.late_by IS NOT NULL AND s.state IN ({ENDED}) AND (late.stage = 'woken' OR s.started_at >= s.ready_at)
    ) AS v(name, label, value)
    WHERE s.queue IS NOT NULL
"""
_ACCEPTED: Final = f"""
    SELECT position, true AS final, 'orders' AS name, '{State.PENDING.value}' AS label, 1 AS value FROM looked
"""
# In waiting_followup the round has ended already; what happens to the order there ends none.
_ENDS_ROUND: Final = """
    (t.event IN ('intent=继续', 'intent=暂缓', 'intent=终止', 'contact.max_reached')
     OR (t.event IN ('review.close', 'task.cancel', 'task.timeout') AND t.from_state <> 'waiting_followup'))
"""
_TRANSITIONS: Final = f"""
    SELECT t.position, true AS final, v.name, v.label, v.value
    FROM looked JOIN transitions t ON t.position = looked.position CROSS JOIN LATERAL (VALUES
        ('rounds_ended', '', CAST({_ENDS_ROUND} AS integer)),
        ('rounds_acted_on', '', CAST({_ENDS_ROUND} AND t.from_state = 'action_taken' AS integer)),
        ('orders', t.to_state, 1),
        ('orders', t.from_state, -1),
        ('closed_on', CASE t.to_state WHEN 'closed' THEN {day_of("t.at")} ELSE '' END,
            CAST(t.to_state = 'closed' AS integer))
    ) AS v(name, label, value)
    WHERE v.value <> 0
"""
# Intervals and decimals are exact; a sum of floats may fall by a rounding error, which reads as a reset.
_CLOSINGS: Final = f"""
    SELECT closed.position, closed.finished_at IS NOT NULL AS final, v.name, v.label, v.value
    FROM (
        SELECT t.position, r.finished_at, (
            SELECT extract(epoch FROM coalesce(sum(greatest(s.finished_at - s.started_at, interval '0')), interval '0'))
            FROM step_figures s WHERE s.run_id = r.run_id AND s.kind = 'action' AND s.state = {DONE}
                AND s.started_at IS NOT NULL AND s.code IS DISTINCT FROM 'parked'
        ) AS active
        FROM looked JOIN transitions t ON t.position = looked.position AND t.to_state = 'closed'
        JOIN tasks o ON o.task_id = t.task_id JOIN runs r ON r.run_id = o.run_id
    ) AS closed CROSS JOIN LATERAL (VALUES
        ('processing', {_bucket("closed.active", PROCESSING_EDGES)}, CAST(closed.finished_at IS NOT NULL AS integer)),
        ('processing_seconds', '', CASE WHEN closed.finished_at IS NOT NULL THEN closed.active ELSE 0 END)
    ) AS v(name, label, value)
"""
# A contact that nobody answered may be answered late; after a month that is taken to be over.
_CONTACTS: Final = f"""
    SELECT c.position, c.direction <> 'outbound' OR (c.status = 'concluded' AND (c.contact_result = 'answered'
            OR c.concluded_at < (SELECT business_now() - interval '30 days'))) AS final, v.name, v.label, v.value
    FROM looked JOIN contact_logs c ON c.position = looked.position CROSS JOIN LATERAL (
        SELECT CAST(c.status IN ('sent', 'concluded') AND c.direction = 'outbound' AS integer) AS made
    ) AS left_us CROSS JOIN LATERAL (VALUES
        ('contact_attempt', c.contact_method, left_us.made),
        ('contact_answered', c.contact_method, CASE c.contact_result WHEN 'answered' THEN left_us.made ELSE 0 END),
        ('{CONTACTS_ON}', c.contact_method || '/' || {day_of("c.contact_time")},
            CAST(c.status <> 'refused' AND c.direction = 'outbound' AS integer))
    ) AS v(name, label, value)
"""

# Of several open questions about an order the first one counts it. A deadline is cleared once it was raised as an
# alert; after a day a question is overdue all the same.
_REVIEWS: Final = """
    SELECT r.position, r.state <> 'open' AS final, v.name, v.label, v.value
    FROM looked JOIN reviews r ON r.position = looked.position CROSS JOIN LATERAL (
        SELECT CAST(r.state = 'open' AS integer) AS asked
    ) AS open CROSS JOIN LATERAL (VALUES
        ('reviews_open', '', open.asked),
        ('reviews_overdue', '', CASE WHEN r.opened_at < (SELECT business_now() - interval '24 hours')
            OR r.deadline_at < (SELECT business_now()) THEN open.asked ELSE 0 END),
        ('orders_in_review', '', CASE WHEN r.task_id IS NULL OR EXISTS (SELECT FROM reviews e
            WHERE e.task_id = r.task_id AND e.state = 'open' AND e.position < r.position) THEN 0 ELSE open.asked END)
    ) AS v(name, label, value)
"""

CONTACTS_FEED: Final = "contacts"
"""The feed of contacts, by its name."""

FEEDS: Final = (
    FigureFeed("accepted", "tasks", "position", _ACCEPTED),
    FigureFeed("steps", "steps", "step_id", _STEPS),
    FigureFeed("transitions", "transitions", "position", _TRANSITIONS),
    FigureFeed("closings", "transitions", "position", _CLOSINGS),
    FigureFeed(CONTACTS_FEED, "contact_logs", "position", _CONTACTS),
    FigureFeed("reviews", "reviews", "position", _REVIEWS),
)
"""Every feed."""

GAUGES: Final = ("queue_rows", "reviews_open", "reviews_overdue", "orders_in_review", CONTACTS_ON)
"""Figures that say how things stand: of a row that was removed, or was given another place, nothing is left."""

WALK: Final = "open_orders"
"""The name under which the walk over open orders keeps its place."""

Counted = dict[tuple[str, str], Decimal]
"""Figures by name and label."""
