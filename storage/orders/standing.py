"""Where every order stands, in one look: for progress, summaries and the leap of the business clock."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from storage.core.unit_of_work import Repository

_ALL = text(
    """
    SELECT t.task_id, t.status, t.finish_reason, r.reason AS review_reason, s.node, s.state AS step_state,
        CASE WHEN s.due_clock = 'business' THEN s.due_at END AS due_at
    FROM tasks t
    LEFT JOIN LATERAL (SELECT reason FROM reviews r WHERE r.task_id = t.task_id AND r.state = 'open'
                       ORDER BY r.opened_at LIMIT 1) r ON true
    LEFT JOIN LATERAL (SELECT node, state, due_at, due_clock FROM steps s
                       WHERE s.run_id = t.run_id AND s.state NOT IN ('done', 'failed', 'cancelled')
                       ORDER BY s.due_at NULLS FIRST LIMIT 1) s ON t.status <> 'closed'
    ORDER BY t.task_id
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One order: its state, and what it waits for."""

    task_id: str
    status: str
    finish_reason: str | None
    review_reason: str | None
    node: str | None
    step_state: str | None
    due_at: datetime | None

    def is_settled(self, horizon: datetime) -> bool:
        """Whether nothing is to happen to it before the horizon unless a person acts."""
        if self.status == "closed" or self.review_reason is not None:
            return True
        return self.due_at is not None and self.due_at > horizon


@dataclass(frozen=True, slots=True)
class Standings(Repository):
    """Reads the standing of orders."""

    def all(self) -> list[Standing]:
        """Every order, by task_id; meant for the hundreds of a demonstration, not for millions."""
        return [Standing(**row._mapping) for row in self.connection.execute(_ALL)]
