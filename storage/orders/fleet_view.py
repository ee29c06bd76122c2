"""What is read of the whole fleet: how every order stands, what is due next, how fast steps follow one another."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from runtime.clock import Clock
from storage.core.unit_of_work import Repository
from storage.engine.states import ENDED, TIMED

_STATUSES = text(
    f"""
    SELECT t.task_id, t.status, t.finish_reason, r.reason AS review_reason, s.node, s.state AS step_state,
        CASE WHEN s.due_clock = 'business' THEN s.due_at END AS due_at
    FROM tasks t
    LEFT JOIN LATERAL (SELECT reason FROM reviews r WHERE r.task_id = t.task_id AND r.state = 'open'
                       ORDER BY r.opened_at LIMIT 1) r ON true
    LEFT JOIN LATERAL (SELECT node, state, due_at, due_clock FROM steps s
                       WHERE s.run_id = t.run_id AND s.state NOT IN ({ENDED})
                       ORDER BY s.due_at NULLS FIRST LIMIT 1) s ON t.status <> 'closed'
    ORDER BY t.task_id
    """,
)
_NEXT_DUE = text(
    f"""
    SELECT coalesce(subject_id, run_id) AS subject, node, state, due_clock, due_at FROM steps
    WHERE state IN ({TIMED}) AND NOT held AND due_clock = :clock
    ORDER BY due_at LIMIT 1
    """,
)
_FURTHEST_DUE = text(
    f"SELECT max(due_at) FROM steps WHERE state IN ({TIMED}) AND NOT held AND due_clock = 'business'",
)
_SINCE_CONTACT = text(
    "SELECT extract(epoch FROM clock_timestamp() - created_at)::float FROM contact_logs "
    "WHERE direction = 'outbound' AND status IN ('sent', 'concluded') ORDER BY position DESC LIMIT 1"
)
_LAST_STEP = text("SELECT coalesce(max(step_id), 0) FROM steps")
_HANDOVERS = text(
    """
    SELECT extract(epoch FROM b.started_at - a.finished_at)::float AS seconds
    FROM steps a JOIN steps b ON b.caused_by = a.step_id
    WHERE b.step_id > :mark AND b.kind = 'action' AND b.started_at IS NOT NULL AND a.finished_at IS NOT NULL
    """,
)
_LATENESS = text(
    """
    SELECT extract(epoch FROM late_by)::float AS woken,
        extract(epoch FROM late_by + (started_at - ready_at))::float AS begun
    FROM steps WHERE step_id > :mark AND action = :action AND started_at >= ready_at AND late_by IS NOT NULL
    """,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatus:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """The row of one clock whose time comes first."""

    subject: str
    node: str
    state: str
    due_clock: Clock
    due_at: datetime


@dataclass(frozen=True, slots=True)
class FleetView(Repository):
    """Reads the fleet as a whole; it writes nothing."""

    def statuses(self) -> list[OrderStatus]:
        """Every order, by task_id; meant for the hundreds of a demonstration, not for millions."""
        return [OrderStatus(**row._mapping) for row in self.connection.execute(_STATUSES)]

    def next_due(self) -> tuple[DueRow, ...]:
        """For each clock the row whose time comes first; held rows wait for a person and are left out."""
        found = [self.connection.execute(_NEXT_DUE, {"clock": clock}).one_or_none() for clock in Clock]
        return tuple(
            DueRow(
                subject=row.subject,
                node=row.node,
                state=row.state,
                due_clock=Clock(row.due_clock),
                due_at=row.due_at,
            )
            for row in found
            if row is not None
        )

    def furthest_due(self) -> datetime | None:
        """The last moment of the business clock that anything is planned for."""
        found: datetime | None = self.connection.execute(_FURTHEST_DUE).scalar_one()
        return found

    def seconds_since_contact(self) -> float | None:
        """How long ago the last contact left that a channel took; `None` where there was none."""
        found: float | None = self.connection.execute(_SINCE_CONTACT).scalar_one_or_none()
        return found

    def last_step_id(self) -> int:
        """The newest step: a mark for what comes after it."""
        return int(self.connection.execute(_LAST_STEP).scalar_one())

    def handovers_since(self, mark: int) -> list[float]:
        """Seconds from the end of each step to the start of the one it led to, for steps after the mark."""
        return [row.seconds for row in self.connection.execute(_HANDOVERS, {"mark": mark})]

    def lateness_since(self, mark: int, action: str) -> list[tuple[float, float]]:
        """Seconds after their moment at which steps after the mark were woken and begun, of this action."""
        rows = self.connection.execute(_LATENESS, {"mark": mark, "action": action})
        return [(row.woken, row.begun) for row in rows]
