"""What belongs to runs and is of no use once they have ended: removed by one statement."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.flow.slots import released
from storage.engine.states import CANCELLED, RUNS_OPEN

_CLEAR = text(
    f"""
    WITH asked AS (
        UPDATE runs SET cancel_asked = true FROM steps s
        WHERE s.run_id = ANY(:runs) AND s.kind = 'workflow' AND s.state = {CANCELLED}
          AND runs.parent_step_id = s.step_id AND runs.state IN ({RUNS_OPEN})
        RETURNING runs.run_id),
    waits AS (DELETE FROM subscriptions WHERE run_id = ANY(:runs)),
    insides AS (DELETE FROM scopes WHERE run_id = ANY(:runs)),
    arrived AS (DELETE FROM join_arrivals WHERE run_id = ANY(:runs)),
    {released("run_id = ANY(:runs)")}
    SELECT EXISTS (SELECT FROM asked) AS asked, ARRAY(SELECT name FROM gone UNION SELECT name FROM spent) AS slots
    """
)


@dataclass(frozen=True, slots=True)
class ClearedRuns:
    """What is to be done once runs are cleared away."""

    asked: bool
    """Runs that their cancelled steps have begun are to be cancelled."""
    slots: frozenset[str]
    """The names of the slots that were given back."""


@dataclass(frozen=True, slots=True)
class RunRemains(Repository):
    """The only code that clears away what ended runs leave."""

    def clear(self, run_ids: Sequence[str]) -> ClearedRuns:
        """Remove their waits, scopes, arrivals and slots; let the runs that they have begun be cancelled."""
        row = self.connection.execute(_CLEAR, {"runs": list(run_ids)}).one()
        return ClearedRuns(row.asked, frozenset(row.slots))
