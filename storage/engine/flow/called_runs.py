"""Runs that steps of other runs have begun: which have ended, and which are to be cancelled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from statemachine.workflow.states import RunState
from storage.core.unit_of_work import Repository
from storage.engine.states import DONE, RUNS_ENDED, RUNS_OPEN

_ASK_CANCEL = text(
    f"UPDATE runs SET cancel_asked = true WHERE parent_step_id = ANY(:steps) AND state IN ({RUNS_OPEN})"
)
_TO_CANCEL = text(f"SELECT run_id FROM runs WHERE cancel_asked AND state IN ({RUNS_OPEN}) LIMIT :limit")
_TO_REPORT = text(
    f"""
    SELECT run_id, state, error, parent_step_id, coalesce(output, (
        SELECT s.output FROM steps s WHERE s.run_id = r.run_id AND s.state = {DONE} AND s.scope_id IS NULL
        AND s.kind NOT IN ('gateway', 'end') ORDER BY s.finished_at DESC, s.step_id DESC LIMIT 1)) AS output
    FROM runs r WHERE NOT reported AND state IN ({RUNS_ENDED}) LIMIT :limit
    """
)
_REPORTED = text("UPDATE runs SET reported = true WHERE run_id = ANY(:runs)")
_HAND_OVER = text("UPDATE runs SET parent_step_id = NULL, reported = NULL WHERE run_id = :run_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedChild:
    """An ended run, for the step that waits for it."""

    run_id: str
    state: RunState
    error: Mapping[str, Any] | None
    parent_step_id: int
    output: Any


@dataclass(frozen=True, slots=True)
class BegunRuns(Repository):
    """The only code that writes what runs and the steps that have begun them know of one another."""

    def ask_cancel(self, step_ids: Sequence[int]) -> bool:
        """Let the open runs be cancelled that these cancelled steps have begun; whether there are some."""
        return bool(self.connection.execute(_ASK_CANCEL, {"steps": list(step_ids)}).rowcount)

    def to_cancel(self, limit: int) -> list[str]:
        """The open runs that are to be cancelled with the step that began them."""
        return list(self.connection.execute(_TO_CANCEL, {"limit": limit}).scalars())

    def to_report(self, limit: int) -> list[EndedChild]:
        """The ended runs whose end a step of another run waits for."""
        return [
            EndedChild(**{**row._mapping, "state": RunState(row.state)})
            for row in self.connection.execute(_TO_REPORT, {"limit": limit})
        ]

    def mark_reported(self, run_ids: Sequence[str]) -> None:
        """Write that the steps that waited for these runs know of their end."""
        self.connection.execute(_REPORTED, {"runs": list(run_ids)})

    def hand_over(self, run_id: str) -> None:
        """Let nobody wait for a locked run any more: another goes on in its place."""
        self.connection.execute(_HAND_OVER, {"run_id": run_id})
