"""Orders and general tasks in one list, from their runs: newest first, by page, and one in full.

Times are those of the execution, on the database's clock; what happened in the life of a subject has its own routes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import TextClause, text

from statemachine.workflow.states import RunState, literals
from storage.core.unit_of_work import Repository
from storage.engine.states import DONE, RUNNING, UNTOUCHED
from storage.engine.subjects import SubjectTable

MOST_STEPS: Final = 100
"""Steps that are shown of one task: the last ones."""


# A scalar, run by run: of an EXISTS the planner may make a hash of every step there is.
_BEGUN = (
    "coalesce((SELECT true FROM steps s WHERE s.run_id = r.run_id AND (s.started_at IS NOT NULL "
    f"OR s.state NOT IN ({UNTOUCHED})) LIMIT 1), false)"
)
# What certainly has begun is marked, so that the steps of few runs are looked at.
_CREATED = f"r.state = {RUNNING} AND NOT r.begun AND NOT {_BEGUN}"
_STATUS = f"CASE WHEN {_CREATED} THEN 'created' ELSE r.state END"
WITH_UPDATED: Final = """
    SELECT page.*, greatest(page.created_at, page.finished_at, moved.at) AS updated_at
    FROM page LEFT JOIN LATERAL (
        SELECT max(greatest(s.created_at, s.started_at, s.finished_at)) AS at FROM steps s
        WHERE s.run_id = page.run_id
    ) AS moved ON true
"""
_UPDATED = f"{WITH_UPDATED} ORDER BY page.created_at DESC, page.run_id DESC"
_GIVEN = text("SELECT variables, error FROM runs WHERE run_id = :run_id")
_STEPS = text(
    """
    SELECT node, title, state, started_at, finished_at FROM (
        SELECT step_id, node, state, finished_at,
            coalesce(started_at, CASE WHEN finished_at IS NOT NULL THEN least(created_at, finished_at) END)
                AS started_at
        FROM steps WHERE run_id = :run_id ORDER BY step_id DESC LIMIT :most
    ) AS last LEFT JOIN (
        SELECT step->>'id' AS node, step->>'title' AS title FROM runs r
            JOIN definitions d ON d.workflow = r.workflow AND d.version = r.version,
            json_array_elements(d.body->'steps') AS step
        WHERE r.run_id = :run_id
    ) AS written USING (node) ORDER BY step_id
    """
)
_RESULT = text(
    f"SELECT output FROM steps WHERE run_id = :run_id AND state = {DONE} AND kind <> 'gateway' "
    "ORDER BY finished_at DESC, step_id DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class TaskQueries:
    """The statements over runs and these tables of subjects; one query a page, whatever the number of tables."""

    columns: str
    source: str
    attempt: str
    row: str
    is_task: str
    conditions: Mapping[str, str]
    find: TextClause
    statuses: TextClause


@cache
def task_queries(subjects: tuple[SubjectTable, ...]) -> TaskQueries:
    """The statements for these tables of subjects."""
    known = list(enumerate(subjects))
    joins = " ".join(
        f"LEFT JOIN {s.table} t{n} ON t{n}.{s.subject_id} = r.subject_id "
        # Of two equations the planner takes it that hardly a row meets both: it would join all there is, and sort.
        f"AND coalesce(t{n}.{s.run_id} = r.run_id, false)"
        for n, s in known
    )
    task_id = _first(*(f"t{n}.{s.subject_id}" for n, s in known), "r.run_id")
    order_id = _first(*(f"t{n}.{s.order_id}" for n, s in known), "NULL")
    state = _first(*(f"t{n}.{s.state}" for n, s in known), "NULL")
    product = _first(
        *(f"CASE WHEN t{n}.{s.subject_id} IS NOT NULL THEN '{s.product}' END" for n, s in known), "NULL"
    )
    # The run of a subject is the one the subject names; whatever else was begun for it is no task of its own.
    is_task = " OR ".join(["r.subject_id IS NULL", *(f"t{n}.{s.subject_id} IS NOT NULL" for n, s in known)])
    columns = f"""
        {task_id} AS task_id, r.run_id, r.workflow, r.version, {product} AS product, {order_id} AS order_id,
            {state} AS state, {_STATUS} AS status, r.description, r.created_by, r.trace_id, r.priority,
            r.created_at, r.finished_at, r.deadline_at
    """
    source = f"runs r {joins}"
    row = f"SELECT {columns} FROM {source}"
    named = _first(
        *(f"(SELECT o.{s.run_id} FROM {s.table} o WHERE o.{s.subject_id} = :name)" for s in subjects), ":name"
    )
    return TaskQueries(
        columns=columns,
        source=source,
        attempt=_first(*(f"t{n}.{s.attempt}" for n, s in known if s.attempt), "NULL", kind="integer"),
        row=row,
        is_task=f"({is_task})",
        conditions={
            "state": f"{state} = :state",
            "workflow": "r.workflow = :workflow",
            "order_id": " OR ".join(
                f"r.run_id IN (SELECT o.{s.run_id} FROM {s.table} o WHERE o.{s.order_id} = :order_id)"
                for s in subjects
            )
            or "false",
            "priority_min": "r.priority >= :priority_min",
            "created_from": "r.created_at >= :created_from",
            "created_to": "r.created_at < :created_to",
        },
        find=text(f"WITH page AS ({row} WHERE ({is_task}) AND r.run_id = {named}) {_UPDATED}"),
        statuses=text(
            f"SELECT {task_id} AS task_id, {_STATUS} AS status FROM runs r {joins} WHERE r.run_id = ANY(:runs)"
        ),
    )


def _first(*values: str, kind: str = "text") -> str:
    """The first of these that is not null, as SQL; a column alone stays one, so that its index is used."""
    there = [value for value in values if value != "NULL"]
    if not there:
        return f"CAST(NULL AS {kind})"
    return there[0] if len(there) == 1 else f"coalesce({', '.join(there)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFilter:
    """Which tasks are asked for; `created_to` is the first moment that is not."""

    status: RunState | None = None
    state: str | None = None
    workflow: str | None = None
    order_id: str | None = None
    priority_min: int | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None


Position = tuple[datetime, str]
"""Where in the list a task stands: when its run was created, and the run's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRow:
    """A task as listed: a product's subject with its business state, or general work, which has none."""

    task_id: str
    run_id: str
    workflow: str
    version: str
    product: str | None
    """Whose subject it is; `None` for general work."""
    order_id: str | None
    state: str | None
    status: RunState
    description: str | None
    created_by: str | None
    trace_id: str
    priority: int
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    deadline_at: datetime | None

    @property
    def position(self) -> Position:
        """Where it stands in the list."""
        return self.created_at, self.run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimes:
    """A step of a task: which, in what state, from when to when."""

    node: str
    title: str | None
    """As the definition has it."""
    state: str
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetails:
    """How a run came to where it is: what it was given, its last steps, what it came to."""

    variables: Mapping[str, Any]
    error: Mapping[str, Any] | None
    steps: tuple[StepTimes, ...]
    result: Mapping[str, Any] | None
    """What the last step returned that was done."""


@dataclass(frozen=True, slots=True)
class TaskList(Repository):
    """Read-only queries over runs and what they are about."""

    subjects: tuple[SubjectTable, ...] = ()

    def page(self, filters: TaskFilter, *, after: Position | None, limit: int) -> list[TaskRow]:
        """The tasks that pass, newest first, from behind this position on."""
        queries = task_queries(self.subjects)
        values: dict[str, object] = {
            name: value for name in queries.conditions if (value := getattr(filters, name)) is not None
        }
        conditions = [queries.is_task, *(f"({queries.conditions[name]})" for name in values)]
        if filters.status is not None:
            conditions.append(_in_status(filters.status))
        if after is not None:
            conditions.append("(r.created_at, r.run_id) < (:after_at, :after_run)")
            values |= {"after_at": after[0], "after_run": after[1]}
        statement = text(
            f"WITH page AS ({queries.row} WHERE {' AND '.join(conditions)} "
            f"ORDER BY r.created_at DESC, r.run_id DESC LIMIT :limit) {_UPDATED}"
        )
        return [_task(row) for row in self.connection.execute(statement, {**values, "limit": limit})]

    def find(self, name: str) -> TaskRow | None:
        """The subject with this id, or the task whose run has this id."""
        row = self.connection.execute(task_queries(self.subjects).find, {"name": name}).one_or_none()
        return None if row is None else _task(row)

    def statuses(self, run_ids: Sequence[str]) -> dict[str, RunState]:
        """The lifecycle of these runs, by the id of their task."""
        rows = self.connection.execute(task_queries(self.subjects).statuses, {"runs": list(run_ids)})
        return {row.task_id: RunState(row.status) for row in rows}

    def details(self, run_id: str) -> RunDetails:
        """The details of a run that is there."""
        given = self.connection.execute(_GIVEN, {"run_id": run_id}).one()
        steps = self.connection.execute(_STEPS, {"run_id": run_id, "most": MOST_STEPS})
        return RunDetails(
            variables=given.variables,
            error=given.error,
            steps=tuple(StepTimes(**row._mapping) for row in steps),
            result=self.connection.execute(_RESULT, {"run_id": run_id}).scalar_one_or_none(),
        )


def _in_status(status: RunState) -> str:
    """The condition for a status, in the form in which partial indexes of runs name their states."""
    match status:
        case RunState.CREATED:
            return _CREATED
        case RunState.RUNNING:
            return f"r.state = {RUNNING} AND (r.begun OR {_BEGUN})"
        case _:
            return f"r.state = {literals([status])}"


def _task(row: Any) -> TaskRow:
    return TaskRow(**{**row._mapping, "status": RunState(row.status)})
