"""Runs: executions of a workflow definition, each with the version it began with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, text

from runtime.trace import new_trace_id
from statemachine.workflow.states import RunState
from storage.core.bulk import BulkInsert, dump_json
from storage.core.unit_of_work import Repository
from storage.engine.states import RUN_COMPLETED, RUN_FAILED, RUNNING, RUNS_OPEN
from storage.engine.tables import runs as runs_table

_INSERT = BulkInsert(
    runs_table,
    (
        "run_id", "workflow", "version", "subject_id", "state", "priority", "variables", "open_steps",
        "request_id", "trace_id", "deadline_at", "manual", "description", "created_by", "begun", "parent_step_id",
        "depth", "reported",
    ),
)  # fmt: skip
_ADVANCE = text(
    f"""
    UPDATE runs SET open_steps = runs.open_steps + c.delta,
        steps_made = runs.steps_made + c.made,
        state = CASE WHEN c.failed THEN {RUN_FAILED}
                     WHEN runs.open_steps + c.delta = 0 THEN coalesce(runs.ends_as, {RUN_COMPLETED})
                     ELSE runs.state END,
        error = coalesce(c.error::jsonb, runs.error), begun = true,
        finished_at = CASE WHEN c.failed OR runs.open_steps + c.delta = 0 THEN clock_timestamp() END
    FROM unnest(CAST(:run_id AS text[]), CAST(:delta AS integer[]), CAST(:failed AS boolean[]),
                CAST(:error AS text[]), CAST(:made AS integer[])) AS c(run_id, delta, failed, error, made)
    WHERE runs.run_id = c.run_id AND (c.delta <> 0 OR c.failed OR NOT runs.begun OR runs.open_steps = 0)
      AND (runs.state IN ({RUNS_OPEN}) OR (c.failed AND runs.state = {RUN_COMPLETED}))
    RETURNING runs.run_id, runs.finished_at IS NOT NULL AS ended, runs.steps_made > :most AS endless
    """,
)
RUN_COLUMNS: Final = (
    "run_id, workflow, version, subject_id, state, priority, variables, open_steps, request_id, trace_id, "
    "deadline_at, error, manual, description, created_by, created_at, finished_at, written, parent_step_id, depth, "
    "output"
)
"""What `run_row` reads."""
_LOCK = text(f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id = ANY(:ids) ORDER BY run_id FOR NO KEY UPDATE")
_SET_STATE = text(
    "UPDATE runs SET state = :state, open_steps = CASE WHEN :ends THEN 0 ELSE open_steps END, "
    "error = coalesce(CAST(:error AS jsonb), error), "
    "finished_at = CASE WHEN :ends THEN clock_timestamp() END WHERE run_id = ANY(:ids)",
)
_REOPEN = text(
    f"UPDATE runs SET state = {RUNNING}, error = NULL, finished_at = NULL, open_steps = 0, "
    "deadline_at = clock_timestamp() + (deadline_at - created_at) WHERE run_id = ANY(:ids)",
)
_END_AS = text("UPDATE runs SET ends_as = :state, error = CAST(:error AS jsonb) WHERE run_id = :run_id")
_WRITE_OUTPUT = text("UPDATE runs SET output = CAST(:output AS jsonb) WHERE run_id = :run_id")
_SET_PRIORITY = text("UPDATE runs SET priority = :priority WHERE run_id = :run_id")
# A clock that may differ from row to row bounds no scan: with it every open run would be looked at.
_OVERDUE = text(
    f"SELECT run_id FROM runs WHERE state IN ({RUNS_OPEN}) AND deadline_at < statement_timestamp() "
    "ORDER BY deadline_at LIMIT :limit",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to be created."""

    run_id: str
    workflow: str
    version: str
    subject_id: str | None
    priority: int = 1
    variables: Mapping[str, object] = field(default_factory=dict)
    open_steps: int = 0
    request_id: str | None = None
    trace_id: str = field(default_factory=new_trace_id)
    deadline_at: datetime | None = None
    manual: bool = False
    description: str | None = None
    created_by: str | None = None
    parent_step_id: int | None = None
    """The step of another run that begins it."""
    depth: int = 0
    begun: bool = False
    """Whether the work of one of its steps has certainly begun."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A run with its present state."""

    run_id: str
    workflow: str
    version: str
    subject_id: str | None
    state: RunState
    priority: int
    variables: Mapping[str, Any]
    open_steps: int
    request_id: str | None
    trace_id: str
    deadline_at: datetime | None
    error: Mapping[str, Any] | None
    manual: bool
    description: str | None
    created_by: str | None
    created_at: datetime
    finished_at: datetime | None
    written: Mapping[str, Any] | None = None
    """The variables that its steps have written."""
    parent_step_id: int | None = None
    """The step of another run that has begun it."""
    depth: int = 0
    """How many runs stand above it."""
    output: Any = None
    """What it came to, where its definition says so."""


@dataclass(frozen=True, slots=True)
class RunChange:
    """A change of a locked run: the number of open steps added or ended, whether it failed."""

    run_id: str
    delta: int
    error: Mapping[str, object] | None = None
    made: int = 0
    """How many were created, ended ones too."""


@dataclass(frozen=True, slots=True)
class AdvancedRuns:
    """The runs of which something is to be done after they were counted."""

    ended: frozenset[str]
    endless: frozenset[str]
    """Open, with more steps than a run may have."""


NOTHING_ADVANCED: Final = AdvancedRuns(frozenset(), frozenset())


def run_row(row: Row[Any]) -> RunRow:
    """The run that a row of all its columns describes."""
    return RunRow(**{**row._mapping, "state": RunState(row.state)})


@dataclass(frozen=True, slots=True)
class Runs(Repository):
    """The only code that writes `runs`."""

    def insert(self, runs: Sequence[NewRun]) -> None:
        """Create runs; `advance` completes one that has no open step."""
        _INSERT(
            self.connection,
            [
                (
                    run.run_id,
                    run.workflow,
                    run.version,
                    run.subject_id,
                    RunState.RUNNING.value,
                    run.priority,
                    run.variables,
                    run.open_steps,
                    run.request_id,
                    run.trace_id,
                    run.deadline_at,
                    run.manual,
                    run.description,
                    run.created_by,
                    run.begun,
                    run.parent_step_id,
                    run.depth,
                    None if run.parent_step_id is None else False,
                )
                for run in runs
            ],
        )

    def advance(self, changes: Sequence[RunChange], most: int) -> AdvancedRuns:
        """Count steps opened and ended: the run has begun, and one whose last step ended has completed.

        Args:
            changes: What is to be counted.
            most: Steps that a run may have.
        """
        if not changes:
            return NOTHING_ADVANCED
        rows = self.connection.execute(
            _ADVANCE,
            {
                "run_id": [c.run_id for c in changes],
                "delta": [c.delta for c in changes],
                "failed": [c.error is not None for c in changes],
                "error": [None if c.error is None else dump_json(c.error) for c in changes],
                "made": [c.made for c in changes],
                "most": most,
            },
        ).all()
        return AdvancedRuns(
            frozenset(row.run_id for row in rows if row.ended),
            frozenset(row.run_id for row in rows if row.endless and not row.ended),
        )

    def lock(self, run_ids: Sequence[str]) -> tuple[RunRow, ...]:
        """Lock these runs in id order and read them."""
        rows = self.connection.execute(_LOCK, {"ids": list(run_ids)})
        return tuple(run_row(row) for row in rows)

    def set_state(
        self,
        run_ids: Sequence[str],
        state: RunState,
        *,
        ends: bool,
        error: Mapping[str, object] | None = None,
    ) -> None:
        """Pause, resume, cancel or fail locked runs."""
        self.connection.execute(
            _SET_STATE,
            {
                "ids": list(run_ids),
                "state": state.value,
                "ends": ends,
                "error": None if error is None else dump_json(error),
            },
        )

    def reopen(self, run_ids: Sequence[str]) -> None:
        """Let locked, ended runs go on, with the time they were allowed at first."""
        self.connection.execute(_REOPEN, {"ids": list(run_ids)})

    def end_as(self, run_id: str, state: RunState, error: Mapping[str, object]) -> None:
        """Let a locked run end like this once its last step has."""
        self.connection.execute(_END_AS, {"run_id": run_id, "state": state.value, "error": dump_json(error)})

    def write_output(self, run_id: str, output: object) -> None:
        """Write what a locked run came to."""
        self.connection.execute(_WRITE_OUTPUT, {"run_id": run_id, "output": dump_json(output)})

    def set_priority(self, run_id: str, priority: int) -> None:
        """Give a locked run another priority."""
        self.connection.execute(_SET_PRIORITY, {"run_id": run_id, "priority": priority})

    def overdue(self, limit: int) -> list[str]:
        """The runs whose time allowed has passed."""
        return [row.run_id for row in self.connection.execute(_OVERDUE, {"limit": limit})]
