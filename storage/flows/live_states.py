"""The live state of tasks as PostgreSQL has it: what the hashes in Redis are written from, and what stands in for them.

Ids, states and moments only: no number, no address, no word of a customer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import TextClause, text

from runtime.mask import mask_text
from schemas.core.language import Language
from schemas.flows.live_states import WaitingFor
from schemas.outbound.product_events import title_of
from statemachine.workflow.states import RunState
from storage.core.unit_of_work import Repository
from storage.engine.states import ENDED, OFFERED, PARKED, RUNS_OPEN, SCHEDULED
from storage.engine.subjects import SubjectTable
from storage.flows.task_list import WITH_UPDATED, TaskRow, task_queries

_WAITING_FOR: Final = f"""
    CASE WHEN s.state = {OFFERED} THEN '{WaitingFor.AGENT}' WHEN s.state = {SCHEDULED} THEN '{WaitingFor.TIME}'
         WHEN s.state = {PARKED} AND s.kind = 'human' THEN '{WaitingFor.PERSON}'
         WHEN s.state = {PARKED} THEN '{WaitingFor.REPLY}' ELSE '{WaitingFor.WORKER}' END
"""
# OFFSET 0: the planner would otherwise look for the newest of all steps or events, and pass by those of other runs.
_LAST: Final = f"""
    LEFT JOIN LATERAL (
        SELECT w.* FROM (
            SELECT s.step_id, {_WAITING_FOR} AS waiting_for, s.due_at AS next_at FROM steps s
            WHERE s.run_id = task.run_id AND s.state NOT IN ({ENDED}) OFFSET 0
        ) AS w ORDER BY w.step_id DESC LIMIT 1
    ) AS waiting ON true LEFT JOIN LATERAL (
        SELECT e.* FROM (
            SELECT event_id, stage, title, parameters, status AS event_status, at AS event_at FROM events
            WHERE execution_id = task.run_id OFFSET 0
        ) AS e ORDER BY e.event_id DESC LIMIT 1
    ) AS last ON true
"""
_OPEN_AFTER = text(
    f"SELECT run_id FROM runs WHERE run_id > :after AND state IN ({RUNS_OPEN}) ORDER BY run_id LIMIT :limit"
)
_COUNT_OPEN = text(f"SELECT count(*) FROM runs WHERE state IN ({RUNS_OPEN})")
# Another cluster, another database of it, or one that was restored to a moment before.
_IDENTITY = text(
    "SELECT system_identifier::text || '-' || (SELECT timeline_id FROM pg_control_checkpoint()) || '-' || "
    "(SELECT oid FROM pg_database WHERE datname = current_database()) FROM pg_control_system()"
)


@cache
def _states_of(subjects: tuple[SubjectTable, ...]) -> TextClause:
    queries = task_queries(subjects)
    return text(
        f"""
        WITH page AS (
            SELECT {queries.columns}, {queries.attempt} AS attempt FROM {queries.source}
            WHERE r.run_id = ANY(:runs) AND {queries.is_task}
        ), task AS ({WITH_UPDATED})
        SELECT task.run_id, task.task_id, task.product, task.state, task.status, task.priority, task.attempt,
            task.updated_at, coalesce(last.event_id, 0) AS event_id, last.stage, last.title, last.parameters,
            last.event_status, last.event_at, waiting.waiting_for, waiting.next_at,
            CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint) AS horizon
        FROM task {_LAST}
        """
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """How a task stands: its states, its last event for people, and what its newest open step waits for."""

    run_id: str
    task_id: str
    product: str | None
    """Whose subject it is; `None` for general work."""
    state: str | None
    status: RunState
    priority: int
    attempt: int | None
    updated_at: datetime
    event_id: int
    """The last event's; 0 where there was none."""
    stage: str | None
    title: str | None
    event_status: str | None
    event_at: datetime | None
    waiting_for: WaitingFor | None
    next_at: datetime | None
    horizon: int
    """The first transaction that was not seen: of two looks with the same event, the later has the larger."""

    def describes(self, row: TaskRow) -> bool:
        """Whether it was read of the task as this row shows it, neither before nor after."""
        return (self.state, self.status, self.priority, self.updated_at) == (
            row.state,
            row.status,
            row.priority,
            row.updated_at,
        )


@dataclass(frozen=True, slots=True)
class LiveStates(Repository):
    """Read-only queries over runs, their newest open steps and their last events."""

    subjects: tuple[SubjectTable, ...] = ()

    def of(self, run_ids: Sequence[str]) -> list[LiveState]:
        """How these tasks stand; runs that are no task of their own are left out."""
        if not run_ids:
            return []
        rows = self.connection.execute(_states_of(self.subjects), {"runs": list(run_ids)})
        return [_state(dict(row._mapping)) for row in rows]

    def open_after(self, run_id: str, limit: int) -> list[str]:
        """The open runs that follow this id."""
        return list(self.connection.execute(_OPEN_AFTER, {"after": run_id, "limit": limit}).scalars())

    def count_open(self) -> int:
        """How many runs are open."""
        return int(self.connection.execute(_COUNT_OPEN).scalar_one())

    def database_identity(self) -> str:
        """Which database this is, and in which life of it."""
        return str(self.connection.execute(_IDENTITY).scalar_one())


def _state(columns: dict[str, Any]) -> LiveState:
    title, parameters, waiting_for = columns["title"], columns.pop("parameters"), columns["waiting_for"]
    if title is not None:
        # A title may quote what somebody was called to do.
        columns["title"] = mask_text(title_of(title, parameters, Language.CHINESE))
    columns["status"] = RunState(columns["status"])
    columns["waiting_for"] = None if waiting_for is None else WaitingFor(waiting_for)
    return LiveState(**columns)
