"""What people ask of the whole fleet and of one run: open steps and their place in line, what is due next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from runtime.clock import Clock
from storage.core.unit_of_work import Repository
from storage.engine.runs import RunRow, run_row
from storage.engine.urgency import AGEING_SECONDS

_RUN = text(
    "SELECT run_id, workflow, version, subject_id, state, priority, variables, open_steps, request_id, "
    "deadline_at, error, manual, description, created_by, created_at, finished_at FROM runs "
    "WHERE run_id = :run_id",
)
_OPEN_STEPS = text(
    f"""
    SELECT s.step_id, s.node, s.kind, s.queue, s.state, s.delivery, s.tries, s.crashes, s.due_at, s.due_clock,
        s.error, s.created_at, s.started_at, s.published_at,
        CASE WHEN s.state = 'ready' THEN s.urgency + make_interval(secs => s.priority * {AGEING_SECONDS}) END
            AS ready_at,
        l.holder, l.expires_at,
        CASE s.state
            WHEN 'ready' THEN
                (SELECT count(*) FROM steps a WHERE a.queue = s.queue AND a.state = 'published')
              + (SELECT count(*) FROM steps a WHERE a.queue = s.queue AND a.state = 'ready' AND NOT a.held
                 AND a.urgency < s.urgency)
            WHEN 'published' THEN
                (SELECT count(*) FROM steps a WHERE a.queue = s.queue AND a.state = 'published'
                 AND (a.published_at, a.step_id) < (s.published_at, s.step_id))
        END AS ahead
    FROM steps s LEFT JOIN leases l ON s.state = 'leased' AND l.lease_id = s.lease_id
    WHERE s.run_id = :run_id AND s.state NOT IN ('done', 'failed', 'cancelled') ORDER BY s.step_id
    """,
)
_NEXT_DUE = text(
    """
    SELECT coalesce(subject_id, run_id) AS subject, node, state, due_clock, due_at FROM steps
    WHERE state IN ('scheduled', 'parked', 'offered') AND NOT held AND due_clock = :clock
    ORDER BY due_at LIMIT 1
    """,
)
_LAST_STEP = text("SELECT coalesce(max(step_id), 0) FROM steps")
_HANDOVERS = text(
    """
    SELECT extract(epoch FROM b.started_at - a.finished_at)::float AS seconds
    FROM steps a JOIN steps b ON b.caused_by = a.step_id
    WHERE b.step_id > :mark AND b.kind = 'action' AND b.started_at IS NOT NULL AND a.finished_at IS NOT NULL
    """,
)
_LAST_AUDIT = text(
    'SELECT agent_id, "timestamp" AS at, metadata FROM audit_logs '
    "WHERE task_id = :task_id AND event_type = :event_type ORDER BY position DESC LIMIT 1",
)
_FURTHEST_DUE = text(
    "SELECT max(due_at) FROM steps WHERE state IN ('scheduled', 'parked', 'offered') AND due_clock = 'business'",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStep:
    """A step that has not ended, with who holds it and how many rows its queue has before it."""

    step_id: int
    node: str
    kind: str
    queue: str | None
    state: str
    delivery: int
    tries: int
    crashes: int
    due_at: datetime | None
    due_clock: str | None
    error: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    published_at: datetime | None
    ready_at: datetime | None
    """Since when it is ready, on the database's clock; only of a ready row."""
    holder: str | None
    expires_at: datetime | None
    """When its lease runs out, on the database's clock; `None` without a lease."""
    ahead: int | None
    """Rows of its queue that go first; only of a row that is ready or published."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueRow:
    """The row of one clock whose time comes first."""

    subject: str
    node: str
    state: str
    due_clock: Clock
    due_at: datetime


@dataclass(frozen=True, slots=True)
class AuditMark:
    """When and by whom something was last done to an order."""

    by: str
    at: datetime
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Overview(Repository):
    """Read-only queries for the command line and the console."""

    def run(self, run_id: str) -> RunRow | None:
        """The run with this id, unlocked."""
        row = self.connection.execute(_RUN, {"run_id": run_id}).one_or_none()
        return None if row is None else run_row(row)

    def open_steps(self, run_id: str) -> tuple[OpenStep, ...]:
        """The steps of a run that have not ended, oldest first."""
        return tuple(
            OpenStep(**row._asdict()) for row in self.connection.execute(_OPEN_STEPS, {"run_id": run_id})
        )

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

    def last_step_id(self) -> int:
        """The newest step: a mark for what comes after it."""
        return int(self.connection.execute(_LAST_STEP).scalar_one())

    def handovers_since(self, mark: int) -> list[float]:
        """Seconds from the end of each step to the start of the one it led to, for steps after the mark."""
        return [row.seconds for row in self.connection.execute(_HANDOVERS, {"mark": mark})]

    def last_audit(self, task_id: str, event_type: str) -> AuditMark | None:
        """The newest audit line of this kind."""
        row = self.connection.execute(
            _LAST_AUDIT, {"task_id": task_id, "event_type": event_type}
        ).one_or_none()
        return None if row is None else AuditMark(row.agent_id, row.at, row.metadata)
