"""Orders and general tasks in one list, as their runs have them: newest first, page by page, and one in full.

Times are those of the execution, on the database's clock; what happened in an order's life has its own routes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository

MOST_STEPS: Final = 100
"""Steps that are told of one task: the last ones."""


class Lifecycle(StrEnum):
    """What has become of a run (seed 003); `created` until the first of its steps has begun."""

    CREATED = "created"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


# A scalar, run by run: of an EXISTS the planner may make a hash of every step there is.
_BEGUN = (
    "coalesce((SELECT true FROM steps s WHERE s.run_id = r.run_id AND (s.started_at IS NOT NULL "
    "OR s.state NOT IN ('ready', 'published', 'scheduled', 'offered')) LIMIT 1), false)"
)
_STATUS = f"CASE WHEN r.state = 'running' AND NOT {_BEGUN} THEN 'created' ELSE r.state END"
_ROW = f"""
    SELECT coalesce(t.task_id, r.run_id) AS task_id, r.run_id, r.workflow, t.task_id IS NOT NULL AS is_order,
        t.order_id, t.status AS state, {_STATUS} AS status, r.description, r.created_by, r.priority, r.created_at,
        r.finished_at, r.deadline_at
    FROM runs r LEFT JOIN tasks t ON t.task_id = r.subject_id AND t.run_id = r.run_id
"""
# The run of an order is the one the order names; whatever else was begun for it is no task of its own.
_IS_TASK = "(r.subject_id IS NULL OR t.task_id IS NOT NULL)"
_UPDATED = """
    SELECT page.*, greatest(page.created_at, page.finished_at, moved.at) AS updated_at
    FROM page LEFT JOIN LATERAL (
        SELECT max(greatest(s.created_at, s.started_at, s.finished_at)) AS at FROM steps s
        WHERE s.run_id = page.run_id
    ) AS moved ON true ORDER BY page.created_at DESC, page.run_id DESC
"""
_NAMED = "r.run_id = coalesce((SELECT o.run_id FROM tasks o WHERE o.task_id = :name), :name)"
_FIND = text(f"WITH page AS ({_ROW} WHERE {_IS_TASK} AND {_NAMED}) {_UPDATED}")
_STATUSES = text(
    f"SELECT coalesce(t.task_id, r.run_id) AS task_id, {_STATUS} AS status "
    "FROM runs r LEFT JOIN tasks t ON t.task_id = r.subject_id AND t.run_id = r.run_id "
    "WHERE r.run_id = ANY(:runs)"
)
_GIVEN = text("SELECT variables, error FROM runs WHERE run_id = :run_id")
_STEPS = text(
    """
    SELECT node, state, started_at, finished_at FROM (
        SELECT step_id, node, state, finished_at,
            coalesce(started_at, CASE WHEN finished_at IS NOT NULL THEN least(created_at, finished_at) END)
                AS started_at
        FROM steps WHERE run_id = :run_id ORDER BY step_id DESC LIMIT :most
    ) AS last ORDER BY step_id
    """
)
_RESULT = text(
    "SELECT output FROM steps WHERE run_id = :run_id AND state = 'done' AND kind <> 'gateway' "
    "ORDER BY finished_at DESC, step_id DESC LIMIT 1"
)
_CONDITIONS: Final[Mapping[str, str]] = {
    "status": f"{_STATUS} = :status",
    "state": "t.status = :state",
    "workflow": "r.workflow = :workflow",
    "order_id": "t.order_id = :order_id",
    "priority_min": "r.priority >= :priority_min",
    "created_from": "r.created_at >= :created_from",
    "created_to": "r.created_at < :created_to",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which tasks are asked for; `created_to` is the first moment that is not."""

    status: Lifecycle | None = None
    state: str | None = None
    workflow: str | None = None
    order_id: str | None = None
    priority_min: int | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


Place = tuple[datetime, str]
"""Where in the list a task stands: when its run was created, and the run's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A task as listed: an order with its business state, or general work, which has none."""

    task_id: str
    run_id: str
    workflow: str
    is_order: bool
    order_id: str | None
    state: str | None
    status: Lifecycle
    description: str | None
    created_by: str | None
    priority: int
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    deadline_at: datetime | None

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return self.created_at, self.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMark:
    """A step of a task: which, in what state, from when to when."""

    node: str
    state: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a run came to where it is: what it was given, its last steps, what it came to."""

    variables: Mapping[str, Any]
    error: Mapping[str, Any] | None
    steps: tuple[StepMark, ...]
    result: Mapping[str, Any] | None
    """What the last step returned that was done."""


@dataclass(frozen=True, slots=True)
class TaskList(Repository):
    """Read-only queries over runs and the orders they are about."""

    def page(self, wanted: Wanted, *, after: Place | None, limit: int) -> list[TaskRow]:
        """The tasks wanted, newest first, from behind this place on."""
        values: dict[str, object] = {
            name: value for name in _CONDITIONS if (value := getattr(wanted, name)) is not None
        }
        conditions = [_IS_TASK, *(_CONDITIONS[name] for name in values)]
        if after is not None:
            conditions.append("(r.created_at, r.run_id) < (:after_at, :after_run)")
            values |= {"after_at": after[0], "after_run": after[1]}
        statement = text(
            f"WITH page AS ({_ROW} WHERE {' AND '.join(conditions)} "
            f"ORDER BY r.created_at DESC, r.run_id DESC LIMIT :limit) {_UPDATED}"
        )
        return [_task(row) for row in self.connection.execute(statement, {**values, "limit": limit})]

    def find(self, name: str) -> TaskRow | None:
        """The order with this task_id, or the task whose run has this id."""
        row = self.connection.execute(_FIND, {"name": name}).one_or_none()
        return None if row is None else _task(row)

    def statuses(self, run_ids: Sequence[str]) -> dict[str, Lifecycle]:
        """The lifecycle of these runs, by the id of their task."""
        rows = self.connection.execute(_STATUSES, {"runs": list(run_ids)})
        return {row.task_id: Lifecycle(row.status) for row in rows}

    def course(self, run_id: str) -> Course:
        """The course of a run that is there."""
        given = self.connection.execute(_GIVEN, {"run_id": run_id}).one()
        steps = self.connection.execute(_STEPS, {"run_id": run_id, "most": MOST_STEPS})
        return Course(
            variables=given.variables,
            error=given.error,
            steps=tuple(StepMark(**row._mapping) for row in steps),
            result=self.connection.execute(_RESULT, {"run_id": run_id}).scalar_one_or_none(),
        )


def _task(row: Any) -> TaskRow:
    return TaskRow(**{**row._mapping, "status": Lifecycle(row.status)})
