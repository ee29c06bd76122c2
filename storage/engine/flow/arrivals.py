"""Arrivals at joins: a row for each branch that has come, so that no join reads a whole run."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import text

from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.engine.flow.tables import join_arrivals

_ARRIVE = BulkInsert(join_arrivals, ("run_id", "scope_id", "node", "flow", "step_id", "given"))
_PLACES = (
    "unnest(CAST(:runs AS text[]), CAST(:scopes AS bigint[]), CAST(:nodes AS text[])) "
    "AS j(run_id, scope_id, node)"
)
_COUNTS = text(
    "SELECT a.run_id, a.scope_id, a.node, count(DISTINCT a.flow) AS flows, bool_or(a.passed) AS passed "
    f"FROM join_arrivals a JOIN {_PLACES} USING (run_id, scope_id, node) GROUP BY a.run_id, a.scope_id, a.node"
)
# Of each flow the first to have come; a second one waits for the next round.
_FIRST = f"""
    SELECT DISTINCT ON (a.run_id, a.scope_id, a.node, a.flow)
        a.arrival_id, a.run_id, a.scope_id, a.node, a.flow, a.step_id, a.given
    FROM join_arrivals a JOIN {_PLACES} USING (run_id, scope_id, node)
    ORDER BY a.run_id, a.scope_id, a.node, a.flow, a.arrival_id
"""
_BROUGHT = """
    SELECT f.run_id, f.scope_id, f.node, f.flow, coalesce(f.given, s.output) AS given
    FROM first f LEFT JOIN steps s USING (step_id) ORDER BY f.arrival_id
"""
_TAKE = text(
    f"""
    WITH first AS MATERIALIZED ({_FIRST}),
    gone AS (DELETE FROM join_arrivals a USING first f WHERE a.arrival_id = f.arrival_id)
    {_BROUGHT}
    """
)
_PASS = text(
    f"""
    WITH first AS MATERIALIZED ({_FIRST}),
    gone AS (UPDATE join_arrivals a SET passed = true FROM first f WHERE a.arrival_id = f.arrival_id)
    {_BROUGHT}
    """
)
_WAITING = text(
    "SELECT DISTINCT run_id, scope_id, node, flow FROM join_arrivals WHERE run_id = ANY(:runs) AND NOT passed"
)
_CLEAR = text("DELETE FROM join_arrivals WHERE scope_id = ANY(:scopes) AND run_id = :run_id")
_CLEAR_NODES = text(
    "DELETE FROM join_arrivals WHERE run_id = :run_id AND scope_id = :scope_id AND node = ANY(:nodes)"
)
_CLEAR_RUNS = text("DELETE FROM join_arrivals WHERE run_id = ANY(:runs)")
# Outside of every scope.
_FORGET = text(
    "DELETE FROM join_arrivals WHERE run_id = :run_id AND scope_id = 0 AND node = :node "
    "AND (CAST(:flows AS text[]) IS NULL OR flow = ANY(:flows))"
)


class JoinPlace(NamedTuple):
    """Where branches wait for one another: a step, in one scope of a run (0: in none)."""

    run_id: str
    scope_id: int
    node: str


@dataclass(frozen=True, slots=True)
class NewArrival:
    """A branch that has come."""

    place: JoinPlace
    flow: str
    """The step from which it comes."""
    step_id: int | None = None
    """The step whose output it brings; its row is written."""
    given: Mapping[str, object] | None = None
    """What it brings, where that is no step's output."""


@dataclass(frozen=True, slots=True)
class ArrivedFlows:
    """What waits at one join."""

    flows: int
    passed: bool
    """Whether those who were waited for have gone on, and the others are only let in."""


Brought = dict[JoinPlace, dict[str, Mapping[str, Any]]]
"""By place, what each branch brings, in the order in which they came."""


@dataclass(frozen=True, slots=True)
class Arrivals(Repository):
    """The only code that writes `join_arrivals`; whoever does holds the lock of the run."""

    def add(self, arrivals: Sequence[NewArrival]) -> None:
        """Note these arrivals."""
        _ARRIVE(self.connection, [(*each.place, each.flow, each.step_id, each.given) for each in arrivals])

    def count(self, places: Sequence[JoinPlace]) -> dict[JoinPlace, ArrivedFlows]:
        """What waits at these joins; one at which nothing does is left out."""
        rows = self.connection.execute(_COUNTS, _columns(places))
        return {
            JoinPlace(row.run_id, row.scope_id, row.node): ArrivedFlows(row.flows, row.passed) for row in rows
        }

    def take(self, places: Sequence[JoinPlace]) -> Brought:
        """End a round of these joins: take away the first arrival of each flow."""
        return self._brought(_TAKE, places)

    def let_pass(self, places: Sequence[JoinPlace]) -> Brought:
        """Let these joins go on with what has come; what comes further in this round changes nothing."""
        return self._brought(_PASS, places)

    def waiting(self, run_ids: Sequence[str]) -> dict[JoinPlace, set[str]]:
        """The flows that have come to each join of these runs and wait."""
        found: dict[JoinPlace, set[str]] = {}
        for row in self.connection.execute(_WAITING, {"runs": list(run_ids)}):
            found.setdefault(JoinPlace(row.run_id, row.scope_id, row.node), set()).add(row.flow)
        return found

    def clear(self, run_id: str, scope_ids: Sequence[int]) -> None:
        """Forget what waits in these scopes, which have ended."""
        self.connection.execute(_CLEAR, {"run_id": run_id, "scopes": list(scope_ids)})

    def clear_nodes(self, run_id: str, scope_id: int | None, nodes: Collection[str]) -> None:
        """Forget what waits at these steps of a scope."""
        values = {"run_id": run_id, "scope_id": scope_id or 0, "nodes": list(nodes)}
        self.connection.execute(_CLEAR_NODES, values)

    def clear_runs(self, run_ids: Sequence[str]) -> None:
        """Forget what waits in these runs, which have ended."""
        self.connection.execute(_CLEAR_RUNS, {"runs": list(run_ids)})

    def forget(self, run_id: str, node: str, flows: Sequence[str] | None = None) -> None:
        """Forget what has come to a join outside of every scope: all of it, or what came by these flows."""
        values = {"run_id": run_id, "node": node, "flows": None if flows is None else list(flows)}
        self.connection.execute(_FORGET, values)

    def _brought(self, statement: Any, places: Sequence[JoinPlace]) -> Brought:
        brought: Brought = {place: {} for place in places}
        if places:
            for row in self.connection.execute(statement, _columns(places)):
                brought[JoinPlace(row.run_id, row.scope_id, row.node)][row.flow] = row.given or {}
        return brought


def _columns(places: Sequence[JoinPlace]) -> dict[str, object]:
    runs, scopes, nodes = ([place[at] for place in places] for at in range(3))
    return {"runs": runs, "scopes": scopes, "nodes": nodes}
