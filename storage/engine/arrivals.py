"""Arrivals at joins: a row for each ended step that a join of several needs, so that no join reads a whole run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.engine.tables import join_arrivals

_ARRIVE = BulkInsert(join_arrivals, ("run_id", "node", "step_id", "need"))
_JOINS = "unnest(CAST(:runs AS text[]), CAST(:nodes AS text[])) AS j(run_id, node)"
_COUNTS = text(
    f"SELECT a.run_id, a.node, count(DISTINCT a.need) AS needs FROM join_arrivals a JOIN {_JOINS} USING (run_id, node) "
    "GROUP BY a.run_id, a.node"
)
# Of each need the first to have come; a second one waits for the next round.
_TAKE = text(
    f"""
    WITH first AS MATERIALIZED (
        SELECT DISTINCT ON (a.run_id, a.node, a.need) a.run_id, a.node, a.need, a.step_id
        FROM join_arrivals a JOIN {_JOINS} USING (run_id, node) ORDER BY a.run_id, a.node, a.need, a.step_id
    ), gone AS (
        DELETE FROM join_arrivals a USING first f
        WHERE a.run_id = f.run_id AND a.node = f.node AND a.step_id = f.step_id
    )
    SELECT f.run_id, f.node, f.need, s.output FROM first f JOIN steps s USING (step_id)
    """
)


@dataclass(frozen=True, slots=True)
class EndedNeed:
    """An ended step that a join needs."""

    run_id: str
    node: str
    """The join."""
    step_id: int
    need: str
    """The node of the step that ended."""


Joined = dict[tuple[str, str], dict[str, Mapping[str, Any]]]
"""By run and join, what the steps returned that it needs."""


@dataclass(frozen=True, slots=True)
class Arrivals(Repository):
    """The only code that writes `join_arrivals`; whoever does holds the lock of the run."""

    def arrive(self, arrivals: Sequence[EndedNeed], needs: Mapping[tuple[str, str], int]) -> Joined:
        """Note these ends, whose rows are written; the joins of which every need has come now.

        Args:
            arrivals: The ends.
            needs: By run and join, how many steps the join needs.
        """
        if not arrivals:
            return {}
        _ARRIVE(self.connection, [(a.run_id, a.node, a.step_id, a.need) for a in arrivals])
        counted = self.connection.execute(_COUNTS, _places(list(needs))).all()
        complete = [(row.run_id, row.node) for row in counted if row.needs == needs[row.run_id, row.node]]
        joined: Joined = {place: {} for place in complete}
        if complete:
            for row in self.connection.execute(_TAKE, _places(complete)).all():
                joined[row.run_id, row.node][row.need] = row.output or {}
        return joined


def _places(joins: Sequence[tuple[str, str]]) -> dict[str, object]:
    return {"runs": [run_id for run_id, _ in joins], "nodes": [node for _, node in joins]}
