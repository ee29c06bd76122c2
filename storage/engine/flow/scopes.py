"""Scopes: the inside of steps that have one, with the number of open steps in it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import text

from statemachine.workflow.failures import INCIDENT
from storage.core.bulk import BulkInsert
from storage.core.unit_of_work import Repository
from storage.engine.flow.tables import scopes as scopes_table
from storage.engine.states import CANCELLED, DONE, ENDED, FAILED

_OPEN = BulkInsert(
    scopes_table, ("scope_id", "run_id", "node", "around", "open_steps", "bound", "elements", "begun")
)
# The elements are left where they are: a loop over ten thousand reads none of them here.
_FIND = text(
    "SELECT scope_id, run_id, node, around, open_steps, bound, begun, jsonb_array_length(elements) AS elements "
    "FROM scopes WHERE scope_id = ANY(:ids)"
)
# A long list lies compressed in pieces elsewhere: it is fetched once for all of them, and not once for each.
_ELEMENTS = text(
    """
    SELECT s.scope_id, w.first + e.nth - 1 AS place, e.element FROM scopes s
    JOIN unnest(CAST(:ids AS bigint[]), CAST(:firsts AS integer[]), CAST(:lasts AS integer[]))
        AS w(scope_id, first, last) USING (scope_id)
    CROSS JOIN LATERAL jsonb_array_elements(jsonb_path_query_array(
        s.elements, '$[$first to $last]', jsonb_build_object('first', w.first, 'last', w.last)
    )) WITH ORDINALITY AS e(element, nth)
    """
)
_COUNT = text(
    "UPDATE scopes SET open_steps = scopes.open_steps + c.delta, begun = scopes.begun + c.begun "
    "FROM unnest(CAST(:ids AS bigint[]), CAST(:deltas AS integer[]), CAST(:begun AS integer[])) "
    "AS c(scope_id, delta, begun) WHERE scopes.scope_id = c.scope_id "
    "RETURNING scopes.scope_id, scopes.open_steps, scopes.begun"
)
_CLOSE = text("DELETE FROM scopes WHERE scope_id = ANY(:ids)")
_INNER = """
    WITH RECURSIVE inner_steps AS (
        SELECT step_id, state FROM steps WHERE scope_id = ANY(:ids)
        UNION ALL SELECT s.step_id, s.state FROM steps s JOIN inner_steps i ON s.scope_id = i.step_id
    )
"""
_CANCEL = text(
    f"""
    {_INNER} UPDATE steps SET state = {CANCELLED}, finished_at = clock_timestamp() FROM inner_steps i
    WHERE steps.step_id = i.step_id AND i.state NOT IN ({ENDED}) RETURNING steps.step_id
    """
)
_CANCEL_ROOT = text(
    f"UPDATE steps SET state = {CANCELLED}, finished_at = clock_timestamp() WHERE run_id = :run_id "
    f"AND state NOT IN ({ENDED}) RETURNING step_id, scope_id"
)
# The question about a step that has failed stands where that step does.
_PLACE = f"CASE WHEN node = '{INCIDENT.id}' THEN input ->> 'origin' ELSE node END"
_CANCEL_NODES = text(
    f"""
    WITH RECURSIVE inner_steps AS (
        SELECT step_id, scope_id, state FROM steps
        WHERE run_id = :run_id AND coalesce(scope_id, 0) = :scope AND {_PLACE} = ANY(:nodes)
          AND state NOT IN ({ENDED})
        UNION ALL SELECT s.step_id, s.scope_id, s.state FROM steps s JOIN inner_steps i ON s.scope_id = i.step_id
    )
    UPDATE steps SET state = {CANCELLED}, finished_at = clock_timestamp() FROM inner_steps i
    WHERE steps.step_id = i.step_id AND i.state NOT IN ({ENDED}) RETURNING steps.step_id, steps.scope_id
    """
)
_OPEN_NODES = text(
    f"SELECT DISTINCT {_PLACE} FROM steps WHERE run_id = :run_id AND coalesce(scope_id, 0) = :scope "
    f"AND state NOT IN ({ENDED})"
)
# What was undone before has a row of the step that undid it.
_DONE_IN = f"""
    SELECT s.step_id, s.node FROM steps s JOIN (SELECT unnest(CAST(:nodes AS text[])) AS node,
        unnest(CAST(:by AS text[])) AS undone_by) n USING (node)
    WHERE s.run_id = :run_id AND s.state = {DONE} AND NOT EXISTS (
        SELECT FROM steps u WHERE u.run_id = s.run_id AND u.node = n.undone_by AND u.caused_by = s.step_id)
"""
_DONE = text(f"{_DONE_IN} ORDER BY s.finished_at DESC, s.step_id DESC")
_DONE_IN_SCOPE = text(
    f"""
    WITH RECURSIVE inner_steps AS (
        SELECT step_id FROM steps WHERE scope_id = :scope_id
        UNION ALL SELECT s.step_id FROM steps s JOIN inner_steps i ON s.scope_id = i.step_id
    )
    {_DONE_IN} AND s.step_id IN (SELECT step_id FROM inner_steps) ORDER BY s.finished_at DESC, s.step_id DESC
    """
)
_WHAT_WAS_DONE = text("SELECT node, input, output FROM steps WHERE step_id = :step_id")
_RESULTS = text(
    f"SELECT element, state, output, error FROM steps WHERE scope_id = :scope_id AND state IN ({DONE}, {FAILED}) "
    "ORDER BY element"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewScope:
    """A scope to be opened."""

    scope_id: int
    run_id: str
    node: str
    around: tuple[int, ...]
    open_steps: int = 0
    bound: Mapping[str, object] = field(default_factory=dict)
    elements: Sequence[object] | None = None
    begun: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeRow:
    """A scope as it stands."""

    scope_id: int
    run_id: str
    node: str
    around: tuple[int, ...]
    open_steps: int
    bound: Mapping[str, Any]
    begun: int
    elements: int | None
    """How many a loop has; `None`: it is no loop."""

    @property
    def chain(self) -> tuple[int, ...]:
        """This scope and those around it, the outermost first."""
        return (*self.around, self.scope_id)


class ScopeCount(NamedTuple):
    """How many steps are open in a scope, and how many elements have been begun."""

    open_steps: int
    begun: int


@dataclass(frozen=True, slots=True)
class ElementResult:
    """What one element came to."""

    element: int
    output: Mapping[str, Any] | None
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Scopes(Repository):
    """The only code that writes `scopes`; whoever does holds the lock of the run."""

    def open(self, scopes: Sequence[NewScope]) -> None:
        """Open these scopes."""
        _OPEN(
            self.connection,
            [
                (
                    each.scope_id,
                    each.run_id,
                    each.node,
                    list(each.around),
                    each.open_steps,
                    each.bound,
                    None if each.elements is None else list(each.elements),
                    each.begun,
                )
                for each in scopes
            ],
        )

    def find(self, scope_ids: Sequence[int]) -> dict[int, ScopeRow]:
        """These scopes, by id."""
        if not scope_ids:
            return {}
        rows = self.connection.execute(_FIND, {"ids": list(scope_ids)})
        return {row.scope_id: ScopeRow(**{**row._mapping, "around": tuple(row.around)}) for row in rows}

    def elements(self, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Any]:
        """These elements of loops, each by its scope and place, and those that lie between them."""
        if not wanted:
            return {}
        places: dict[int, list[int]] = {}
        for scope_id, at in wanted:
            places.setdefault(scope_id, []).append(at)
        found = self.connection.execute(
            _ELEMENTS,
            {
                "ids": list(places),
                "firsts": [min(of_scope) for of_scope in places.values()],
                "lasts": [max(of_scope) for of_scope in places.values()],
            },
        )
        return {(row.scope_id, row.place): row.element for row in found}

    def count(self, changes: Mapping[int, tuple[int, int]]) -> dict[int, ScopeCount]:
        """Count steps opened and ended, and elements begun, in each of these; how many there are then."""
        rows = self.connection.execute(
            _COUNT,
            {
                "ids": list(changes),
                "deltas": [delta for delta, _ in changes.values()],
                "begun": [begun for _, begun in changes.values()],
            },
        )
        return {row.scope_id: ScopeCount(row.open_steps, row.begun) for row in rows}

    def close(self, scope_ids: Sequence[int]) -> None:
        """Remove scopes that have ended."""
        self.connection.execute(_CLOSE, {"ids": list(scope_ids)})

    def cancel(self, scope_ids: Sequence[int]) -> list[int]:
        """Cancel every open step in these scopes, at whatever depth; which those were."""
        return list(self.connection.execute(_CANCEL, {"ids": list(scope_ids)}).scalars())

    def cancel_nodes(
        self, run_id: str, scope_id: int | None, nodes: Collection[str]
    ) -> list[tuple[int, int | None]]:
        """Cancel the open rows of these steps in a scope, with what is in them, and the questions about their failures.

        Returns:
            Which those were, each with its scope.
        """
        rows = self.connection.execute(
            _CANCEL_NODES, {"run_id": run_id, "scope": scope_id or 0, "nodes": list(nodes)}
        )
        return [(row.step_id, row.scope_id) for row in rows]

    def open_nodes(self, run_id: str, scope_id: int | None) -> frozenset[str]:
        """The steps that have an open row in this scope, or about whose failure a person is asked."""
        rows = self.connection.execute(_OPEN_NODES, {"run_id": run_id, "scope": scope_id or 0})
        return frozenset(rows.scalars())

    def cancel_run(self, run_id: str) -> list[tuple[int, int | None]]:
        """Cancel every open step of a run; which those were, each with its scope."""
        rows = self.connection.execute(_CANCEL_ROOT, {"run_id": run_id})
        return [(row.step_id, row.scope_id) for row in rows]

    def done(self, run_id: str, scope_id: int | None, undone_by: Mapping[str, str]) -> list[tuple[int, str]]:
        """The rows of these steps that are done and were not undone, in a scope or the whole run, the last first.

        Args:
            run_id: The run.
            scope_id: The scope; `None`: the whole run.
            undone_by: By step, the step that undoes it.
        """
        values = {"run_id": run_id, "nodes": list(undone_by), "by": list(undone_by.values())}
        if scope_id is None:
            rows = self.connection.execute(_DONE, values)
        else:
            rows = self.connection.execute(_DONE_IN_SCOPE, {**values, "scope_id": scope_id})
        return [(row.step_id, row.node) for row in rows]

    def what_was_done(self, step_id: int) -> tuple[str, Mapping[str, Any], Mapping[str, Any]]:
        """The step of a row, its input, and what it returned."""
        row = self.connection.execute(_WHAT_WAS_DONE, {"step_id": step_id}).one()
        return row.node, row.input, row.output or {}

    def results(self, scope_id: int) -> list[ElementResult]:
        """What the elements of a loop came to, in their order."""
        return [
            ElementResult(row.element, row.output, row.error)
            for row in self.connection.execute(_RESULTS, {"scope_id": scope_id})
        ]
