"""Executions of workflows as people look at them: how far each step is, what is waited for, the log; read from rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.runs import RUN_COLUMNS, RunRow, run_row
from storage.engine.states import DONE, ENDED, FAILED, LEASED, OFFERED, PARKED, SCHEDULED

_RUN = text(f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id = :run_id")
# What is no work of an agent is under way as soon as it is there: it waits for a time, an answer, or what is in it.
_IS_RUNNING: Final = f"(state IN ({LEASED}, {PARKED}) OR (state NOT IN ({ENDED}) AND kind <> 'action'))"
_PROGRESS = text(
    f"""
    SELECT node, bool_or({_IS_RUNNING}) AS running, bool_or(held AND state NOT IN ({ENDED}, {LEASED})) AS held,
        bool_or(state NOT IN ({ENDED})) AS open, (array_agg(state ORDER BY step_id DESC))[1] AS last
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
_STATUS: Final = f"CASE WHEN state = {DONE} THEN 'completed' ELSE state END"
# What a row says of its own life, in the order in which it lived; each place is that of its row, so that a page that
# ends here goes on behind it.
_LINES: Final = f"""
    SELECT created_at AS at, lpad(CAST(step_id AS text), 19, '0') || 'a' AS place, 'task_initialized' AS event_type,
        jsonb_build_object('step_id', step_id, 'task_id', node) AS data
    FROM steps WHERE run_id = :run_id
    UNION ALL
    SELECT greatest(started_at, created_at), lpad(CAST(step_id AS text), 19, '0') || 'b', 'state_transition',
        jsonb_build_object('step_id', step_id, 'task_id', node, 'old_state', 'pending', 'new_state', 'running')
    FROM steps WHERE run_id = :run_id AND started_at IS NOT NULL
    UNION ALL
    SELECT greatest(finished_at, started_at, created_at), lpad(CAST(step_id AS text), 19, '0') || 'd',
        'state_transition', jsonb_strip_nulls(jsonb_build_object('step_id', step_id, 'task_id', node,
            'old_state', CASE WHEN started_at IS NULL THEN 'pending' ELSE 'running' END,
            'new_state', {_STATUS}, 'error', CASE WHEN state = {FAILED} THEN error END))
    FROM steps WHERE run_id = :run_id AND state IN ({ENDED})
    UNION ALL
    SELECT greatest(finished_at, started_at, created_at), lpad(CAST(step_id AS text), 19, '0') || 'c', 'signal',
        jsonb_build_object('step_id', step_id, 'task_id', node, 'kind', output #> '{{event,kind}}',
            'name', output #> '{{event,name}}', 'key', output #> '{{event,key}}')
    FROM steps WHERE run_id = :run_id AND kind = 'wait' AND state = {DONE}
      AND output #>> '{{event,kind}}' IN ('message', 'signal')
    UNION ALL
    SELECT written_at, 'w' || lpad(CAST(position AS text), 19, '0'), 'variable_set',
        jsonb_build_object('name', name, 'value', value, 'task_id', node, 'by', by)
    FROM variable_writes WHERE run_id = :run_id
    UNION ALL
    SELECT at, 'x' || lpad(CAST(entry_id AS text), 19, '0'), 'intervention',
        detail - 'task_id' || jsonb_build_object('verb', substr(what, 6), 'by', actor, 'label', label)
    FROM system_audit WHERE detail ->> 'task_id' = :run_id AND what LIKE 'task.%'
    UNION ALL
    SELECT greatest(finished_at, created_at), 'z', 'state_transition',
        jsonb_strip_nulls(jsonb_build_object('execution_id', run_id, 'old_state', 'running', 'new_state', state,
            'error', error))
    FROM runs WHERE run_id = :run_id AND finished_at IS NOT NULL
"""
_LOG = text(
    f"""
    SELECT at, place, event_type, data FROM ({_LINES}) AS lines
    WHERE CAST(:at AS timestamptz) IS NULL OR (at, place COLLATE "C") > (:at, CAST(:place AS text))
    ORDER BY at, place COLLATE "C" LIMIT :limit
    """
)
_LOG_LENGTH = text(f"SELECT count(*) FROM ({_LINES}) AS lines")


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
class LogLine:
    """A line of an execution's log; no row holds it, it follows from one."""

    at: datetime
    place: str
    event_type: str
    data: Mapping[str, Any]


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

    def log(self, run_id: str, *, after: tuple[datetime, str] | None, limit: int) -> Sequence[LogLine]:
        """Its log from behind this place on, the oldest line first."""
        at, place = after or (None, "")
        rows = self.connection.execute(_LOG, {"run_id": run_id, "at": at, "place": place, "limit": limit})
        return [LogLine(**row._mapping) for row in rows]

    def log_length(self, run_id: str) -> int:
        """How many lines its log has."""
        found: int = self.connection.execute(_LOG_LENGTH, {"run_id": run_id}).scalar_one()
        return found
