"""Executions of workflows as people look at them: how far each step is, what is waited for, the log; read from rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text

from storage.core.unit_of_work import Repository
from storage.engine.runs import RUN_COLUMNS, RunRow, run_row
from storage.engine.states import DONE, ENDED, FAILED, LEASED, OFFERED, PARKED, SCHEDULED

_RUN = text(f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id = :run_id")
# What is no work of an agent is under way as soon as it is there: it waits for a time, an answer, or what is in it.
_IS_RUNNING: Final = f"(state IN ({LEASED}, {PARKED}) OR (state NOT IN ({ENDED}) AND kind <> 'action'))"
_PROGRESS = text(
    f"""
    SELECT node, bool_or({_IS_RUNNING}) AS running, bool_or(held AND state NOT IN ({ENDED}, {LEASED})) AS held,
        bool_or(state NOT IN ({ENDED})) AS open, (array_agg(state ORDER BY step_id DESC))[1] AS last,
        count(*) FILTER (WHERE state = {DONE}) AS times_done, count(*) FILTER (WHERE state = {FAILED}) AS times_failed,
        count(*) FILTER (WHERE state NOT IN ({ENDED})) AS times_open
    FROM steps WHERE run_id = :run_id GROUP BY node
    """
)
_STEPS = text(
    f"""
    SELECT step_id, node, kind, state, held, {_IS_RUNNING} AS running, priority, tries, scope_id, element, output,
        error, created_at, started_at, finished_at, due_at
    FROM steps WHERE run_id = :run_id AND step_id > :after ORDER BY step_id LIMIT :limit
    """
)
# A place below 0 is a time limit, which nobody waits for.
_WAITS = text(
    f"""
    SELECT s.step_id, s.node, w.kind, w.name, w.key, w.due_at AS until
    FROM subscriptions w JOIN steps s USING (step_id) WHERE w.run_id = :run_id AND w.place >= 0
    UNION ALL
    SELECT step_id, node, CASE WHEN state = {OFFERED} THEN 'agent' ELSE 'timer' END,
        coalesce(action, wanted ->> 'agent_id', wanted ->> 'role', (wanted -> 'capabilities') ->> 0), NULL, due_at
    FROM steps WHERE run_id = :run_id AND (state = {OFFERED} OR (state = {SCHEDULED} AND due_at IS NOT NULL))
    ORDER BY 1, 3, 4 LIMIT :limit
    """
)
_CHILDREN = text(
    "SELECT c.run_id, c.workflow, c.version, c.state, s.node, c.created_at FROM steps s "
    "JOIN runs c ON c.parent_step_id = s.step_id WHERE s.run_id = :run_id ORDER BY c.created_at, c.run_id LIMIT :limit"
)
_STATUS: Final = f"CASE WHEN state = {DONE} THEN 'completed' ELSE state END"
# What a row says of its own life, in the order in which it lived; each place is that of its row, so that a page that
# ends here goes on behind it.
_LINES: Final = f"""
    SELECT created_at AS at, lpad(CAST(step_id AS text), 19, '0') || 'a' AS place, 'task_initialized' AS event_type,
        jsonb_build_object('step_id', step_id, 'task_id', node) AS data
    FROM steps WHERE run_id = wanted.run_id
    UNION ALL
    SELECT greatest(started_at, created_at), lpad(CAST(step_id AS text), 19, '0') || 'b', 'state_transition',
        jsonb_build_object('step_id', step_id, 'task_id', node, 'old_state', 'pending', 'new_state', 'running')
    FROM steps WHERE run_id = wanted.run_id AND started_at IS NOT NULL
    UNION ALL
    SELECT greatest(finished_at, started_at, created_at), lpad(CAST(step_id AS text), 19, '0') || 'd',
        'state_transition', jsonb_strip_nulls(jsonb_build_object('step_id', step_id, 'task_id', node,
            'old_state', CASE WHEN started_at IS NULL THEN 'pending' ELSE 'running' END,
            'new_state', {_STATUS}, 'error', CASE WHEN state = {FAILED} THEN error END))
    FROM steps WHERE run_id = wanted.run_id AND state IN ({ENDED})
    UNION ALL
    SELECT greatest(finished_at, started_at, created_at), lpad(CAST(step_id AS text), 19, '0') || 'c', 'signal',
        jsonb_build_object('step_id', step_id, 'task_id', node, 'kind', output #> '{{event,kind}}',
            'name', output #> '{{event,name}}', 'key', output #> '{{event,key}}')
    FROM steps WHERE run_id = wanted.run_id AND kind = 'wait' AND state = {DONE}
      AND output #>> '{{event,kind}}' IN ('message', 'signal')
    UNION ALL
    SELECT written_at, 'w' || lpad(CAST(position AS text), 19, '0'), 'variable_set',
        jsonb_build_object('name', name, 'value', value, 'task_id', node, 'by', by)
    FROM variable_writes WHERE run_id = wanted.run_id
    UNION ALL
    SELECT at, 'x' || lpad(CAST(entry_id AS text), 19, '0'), 'intervention',
        detail - 'task_id' || jsonb_build_object('verb', substr(what, 6), 'by', actor, 'label', label)
    FROM system_audit WHERE detail ->> 'task_id' = wanted.run_id AND what LIKE 'task.%'
    UNION ALL
    SELECT greatest(finished_at, created_at), 'z', 'state_transition',
        jsonb_strip_nulls(jsonb_build_object('execution_id', run_id, 'old_state', 'running', 'new_state', state,
            'error', error))
    FROM runs WHERE run_id = wanted.run_id AND finished_at IS NOT NULL
"""
# Lines of several runs, each from behind its own place on; of a run that has none, how it stands.
_LOGS = text(
    f"""
    SELECT wanted.nth, runs.run_id IS NULL OR runs.finished_at IS NOT NULL AS ended, clock_timestamp() AS read_at,
        line.*
    FROM unnest(CAST(:runs AS text[]), CAST(:ats AS timestamptz[]), CAST(:places AS text[]))
        WITH ORDINALITY AS wanted(run_id, at, place, nth)
    LEFT JOIN runs ON runs.run_id = wanted.run_id
    LEFT JOIN LATERAL (
        SELECT * FROM ({_LINES}) AS lines
        WHERE (wanted.at IS NULL OR (at, place COLLATE "C") > (wanted.at, wanted.place))
          AND (NOT :settled OR at <= CAST(:until AS timestamptz))
        ORDER BY at, place COLLATE "C" LIMIT :limit
    ) AS line ON true
    ORDER BY wanted.nth, line.at, line.place COLLATE "C"
    """
)
_LOG_LENGTH = text(
    f"SELECT count(*) FROM (SELECT CAST(:run_id AS text) AS run_id) AS wanted CROSS JOIN LATERAL ({_LINES}) AS lines"
)
# What was stamped before this statement came was written by transactions below the horizon.
_MOMENT = text(
    "SELECT feed_order(pg_snapshot_xmin(s)) AS settled, feed_order(pg_snapshot_xmax(s)) AS horizon, "
    "statement_timestamp() AS now FROM pg_current_snapshot() AS s"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProgress:
    """How far a step of the definition is, all its rows together."""

    node: str
    running: bool
    """Whether it is at work, or waits for the world, a time or a person."""
    held: bool
    """Whether the run is paused and it goes on when that does."""
    open: bool
    last: str
    """The state of its last row."""
    times_done: int
    times_failed: int
    times_open: int
    """How many of its rows are in a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionStepRow:
    """A row of a step with what it came to."""

    step_id: int
    node: str
    kind: str
    state: str
    held: bool
    running: bool
    priority: int
    tries: int
    scope_id: int | None
    element: int | None
    output: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitRow:
    """Something that an open step waits for."""

    step_id: int
    node: str
    kind: str
    """`message`, `signal`, `timer`, `condition`, or `agent`: an outside one that is to do it."""
    name: str | None
    key: str | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildRun:
    """A run that a step of another one has begun."""

    run_id: str
    workflow: str
    version: str
    state: str
    node: str
    """The step that has begun it."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """A line of an execution's log; no row holds it, it follows from one."""

    at: datetime
    place: str
    event_type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class LogPlace:
    """Where somebody is in the log of an execution; at its beginning without a place."""

    run_id: str
    after: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """What follows a place in a log."""

    lines: Sequence[LogLine]
    ended: bool
    """Whether the execution has ended, or is no longer kept."""
    read_at: datetime
    """Nothing that is seen was stamped later."""


@dataclass(frozen=True, slots=True)
class LogMoment:
    """Which transactions are under way; once `settled` has reached this `horizon`, what is older than `now` is seen."""

    settled: int
    horizon: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Executions(Repository):
    """Read-only queries over one run."""

    def find(self, run_id: str) -> RunRow | None:
        """The run of this id, as it stands; nobody is locked out of it."""
        row = self.connection.execute(_RUN, {"run_id": run_id}).one_or_none()
        return None if row is None else run_row(row)

    def progress(self, run_id: str) -> list[StepProgress]:
        """How far the steps are that were entered."""
        return [
            StepProgress(**row._mapping) for row in self.connection.execute(_PROGRESS, {"run_id": run_id})
        ]

    def steps(self, run_id: str, *, after: int, limit: int) -> list[ExecutionStepRow]:
        """The rows of its steps in the order in which they were made, behind this one."""
        rows = self.connection.execute(_STEPS, {"run_id": run_id, "after": after, "limit": limit})
        return [ExecutionStepRow(**row._mapping) for row in rows]

    def waits(self, run_id: str, limit: int) -> list[WaitRow]:
        """What its open steps wait for, questions to people apart."""
        rows = self.connection.execute(_WAITS, {"run_id": run_id, "limit": limit})
        return [WaitRow(**row._mapping) for row in rows]

    def children(self, run_id: str, limit: int) -> list[ChildRun]:
        """The runs that its steps have begun, in the order in which they began."""
        rows = self.connection.execute(_CHILDREN, {"run_id": run_id, "limit": limit})
        return [ChildRun(**row._mapping) for row in rows]

    def log(self, run_id: str, *, after: tuple[datetime, str] | None, limit: int) -> Sequence[LogLine]:
        """Its log from behind this place on, the oldest line first."""
        (page,) = self._logs([LogPlace(run_id, after)], limit, settled=False, until=None)
        return page.lines

    def settled_logs(
        self, places: Sequence[LogPlace], limit: int, until: datetime | None
    ) -> Sequence[LogPage]:
        """What follows in each of these logs that was stamped until a moment; without one, nothing."""
        return self._logs(places, limit, settled=True, until=until)

    def moment(self) -> LogMoment:
        """Which transactions are under way now."""
        row = self.connection.execute(_MOMENT).one()
        return LogMoment(row.settled, row.horizon, row.now)

    def log_length(self, run_id: str) -> int:
        """How many lines its log has."""
        found: int = self.connection.execute(_LOG_LENGTH, {"run_id": run_id}).scalar_one()
        return found

    def _logs(
        self, places: Sequence[LogPlace], limit: int, *, settled: bool, until: datetime | None
    ) -> Sequence[LogPage]:
        values = {
            "runs": [each.run_id for each in places],
            "ats": [None if each.after is None else each.after[0] for each in places],
            "places": ["" if each.after is None else each.after[1] for each in places],
            "limit": limit,
            "settled": settled,
            "until": until,
        }
        found: list[list[Row[Any]]] = [[] for _ in places]
        for row in self.connection.execute(_LOGS, values):
            found[row.nth - 1].append(row)
        return [
            LogPage(
                lines=[
                    LogLine(at=row.at, place=row.place, event_type=row.event_type, data=row.data)
                    for row in rows
                    if row.at is not None
                ],
                ended=rows[0].ended,
                read_at=rows[0].read_at,
            )
            for rows in found
        ]
