"""Ended runs with all that was recorded of their steps, to be replayed; nothing is changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import text

from statemachine.workflow.states import StepState
from statemachine.workflow.versions.recorded import RecordedStep
from storage.core.unit_of_work import Repository
from storage.engine.runs import RUN_COLUMNS, RunRow, run_row
from storage.engine.states import RUNS_ENDED

MOST_STEPS: Final = 2_000
"""Steps of a run that is replayed."""

_FIND = text(f"SELECT {RUN_COLUMNS} FROM runs WHERE run_id = ANY(:ids) AND workflow = :workflow")
_LAST = text(
    f"SELECT run_id FROM runs WHERE workflow = :workflow AND state IN ({RUNS_ENDED}) "
    "ORDER BY created_at DESC, run_id DESC LIMIT :limit"
)
# What ended in the transaction that created it bears that transaction's moment, which is before the row's own.
_STEPS = text(
    """
    SELECT step_id, node, kind, action, state, input, output, error, caused_by,
        scope_id IS NOT NULL OR element IS NOT NULL AS in_scope,
        finished_at IS NOT NULL AND finished_at <= created_at AS at_once
    FROM steps WHERE run_id = :run_id ORDER BY finished_at NULLS LAST, step_id LIMIT :limit
    """
)


@dataclass(frozen=True, slots=True)
class RecordedRuns(Repository):
    """Reads what was recorded of runs."""

    def find(self, workflow: str, run_ids: Sequence[str]) -> dict[str, RunRow]:
        """Those of these runs that are runs of this workflow."""
        rows = self.connection.execute(_FIND, {"workflow": workflow, "ids": list(run_ids)})
        return {row.run_id: run_row(row) for row in rows}

    def last(self, workflow: str, limit: int) -> list[str]:
        """The runs of a workflow that have ended, those that were begun last first."""
        values = {"workflow": workflow, "limit": limit}
        return list(self.connection.execute(_LAST, values).scalars())

    def steps(self, run_id: str) -> list[RecordedStep]:
        """The steps of a run in the order in which they ended; one more than is replayed, where there are more."""
        rows = self.connection.execute(_STEPS, {"run_id": run_id, "limit": MOST_STEPS + 1})
        return [_step(dict(row._mapping)) for row in rows]


def _step(columns: dict[str, Any]) -> RecordedStep:
    return RecordedStep(**{**columns, "state": StepState(columns["state"])})
