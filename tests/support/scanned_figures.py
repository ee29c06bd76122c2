"""What the exporter's counters must say, found by looking at every row there is."""

from decimal import Decimal
from typing import Final

from sqlalchemy import text

from storage.core.database import Database
from storage.orders.figures.feeds import LATENESS_EDGES, PROCESSING_EDGES, Counted
from storage.orders.figures.figures import Figures

_SCANS: Final = (
    """
    SELECT 'rounds_ended' AS name, '' AS label, count(*) AS value FROM transitions
    WHERE event IN ('intent=继续', 'intent=暂缓', 'intent=终止', 'contact.max_reached')
       OR (event IN ('review.close', 'task.cancel', 'task.timeout') AND from_state <> 'waiting_followup')
    """,
    """
    SELECT 'rounds_acted_on', '', count(*) FROM transitions WHERE from_state = 'action_taken'
        AND (event LIKE 'intent=%' OR event IN ('review.close', 'task.cancel', 'task.timeout'))
    """,
    """
    SELECT 'processing', CAST(width_bucket(active - 0.0000005, CAST(:edges AS numeric[])) AS text), count(*)
    FROM ({closed}) AS closed GROUP BY 2
    """,
    "SELECT 'processing_seconds', '', coalesce(sum(active), 0) FROM ({closed}) AS closed",
    """
    SELECT v.name, queue, sum(v.value) FROM steps CROSS JOIN LATERAL (VALUES
        ('agent_request', CASE WHEN state IN ('scheduled', 'ready', 'published') THEN delivery - 1 ELSE delivery END),
        ('agent_error', tries + crashes + CASE WHEN state = 'failed' THEN 1 ELSE 0 END)
    ) AS v(name, value) WHERE kind = 'action' AND queue IS NOT NULL AND started_at IS NOT NULL GROUP BY v.name, queue
    """,
    """
    SELECT 'lateness', stage || '/' || width_bucket(seconds - 0.0000005, CAST(:late AS numeric[])), count(*)
    FROM ({late}) AS late GROUP BY 2
    """,
    """
    SELECT 'lateness_on', to_char(ready_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD') || '/'
        || width_bucket(seconds - 0.0000005, CAST(:late AS numeric[])), count(*)
    FROM ({late}) AS late WHERE stage = 'woken' GROUP BY 2
    """,
    "SELECT 'lateness_seconds', stage, sum(seconds) FROM ({late}) AS late GROUP BY 2",
    """
    SELECT 'queue_rows', queue || '/' || state, count(*) FROM steps WHERE queue IS NOT NULL
        AND state IN ('scheduled', 'parked', 'offered') AND NOT held GROUP BY 2
    """,
    """
    SELECT v.name, contact_method, sum(v.value) FROM contact_logs CROSS JOIN LATERAL (VALUES
        ('contact_attempt', 1), ('contact_answered', CAST(contact_result = 'answered' AS integer))
    ) AS v(name, value) WHERE status IN ('sent', 'concluded') AND direction = 'outbound' GROUP BY 1, 2
    """,
    """
    SELECT 'contacts_on', contact_method || '/' || to_char(contact_time AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD'),
        count(*)
    FROM contact_logs WHERE direction = 'outbound' AND status <> 'refused' GROUP BY 2
    """,
    """
    SELECT v.name, '', v.value FROM (
        SELECT count(*) AS questions, count(DISTINCT task_id) AS orders,
            count(*) FILTER (WHERE opened_at < business_now() - interval '24 hours' OR deadline_at < business_now())
                AS overdue
        FROM reviews WHERE state = 'open'
    ) AS open CROSS JOIN LATERAL (VALUES ('reviews_open', questions), ('reviews_overdue', overdue),
        ('orders_in_review', orders)) AS v(name, value)
    """,
    "SELECT 'orders', status, count(*) FROM tasks WHERE status <> 'pending' GROUP BY 2",
    """
    SELECT 'closed_on', to_char(finished_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD'), count(*) FROM tasks
    WHERE finished_at IS NOT NULL GROUP BY 2
    """,
)
_CLOSED: Final = """
    SELECT extract(epoch FROM coalesce(sum(greatest(s.finished_at - s.started_at, interval '0')), interval '0'))
        AS active
    FROM tasks t JOIN runs r ON r.run_id = t.run_id AND r.finished_at IS NOT NULL
    LEFT JOIN steps s ON s.run_id = t.run_id AND s.kind = 'action' AND s.state = 'done'
        AND s.started_at IS NOT NULL AND s.error ->> 'code' IS DISTINCT FROM 'parked'
    WHERE t.status = 'closed' GROUP BY t.task_id
"""
_LATE: Final = """
    SELECT 'woken' AS stage, extract(epoch FROM late_by) AS seconds, ready_at FROM steps
    WHERE late_by IS NOT NULL AND state IN ('done', 'failed', 'cancelled')
    UNION ALL SELECT 'begun', extract(epoch FROM late_by + (started_at - ready_at)), ready_at FROM steps
    WHERE late_by IS NOT NULL AND state IN ('done', 'failed', 'cancelled') AND started_at >= ready_at
"""
_BESIDE: Final = {("orders", "pending")}
"""What is counted without a scan's like: how many orders were moved from there."""


def scanned(database: Database) -> Counted:
    """The figures as a look at all of history finds them."""
    statement = text(" UNION ALL ".join(f"({scan.format(closed=_CLOSED, late=_LATE)})" for scan in _SCANS))
    with database.transaction() as work:
        rows = work.connection.execute(
            statement, {"edges": list(PROCESSING_EDGES), "late": list(map(float, LATENESS_EDGES))}
        )
        return _without_nothing({(name, label): Decimal(value) for name, label, value in rows})


def counted(database: Database) -> Counted:
    """The figures as they were counted."""
    with database.snapshot() as work:
        found = Figures(work).counters().counted
    return _without_nothing({key: value for key, value in found.items() if key not in _BESIDE})


def _without_nothing(figures: Counted) -> Counted:
    return {key: value for key, value in figures.items() if value and key[0] != "lost"}
