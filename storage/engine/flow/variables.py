"""What runs have written: their variables as they are now, and each value that was written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from storage.core.bulk import BulkInsert, dump_json
from storage.core.unit_of_work import Repository
from storage.engine.flow.tables import variable_writes
from storage.engine.states import DONE, FAILED

_KEEP = text(
    "UPDATE runs SET written = CAST(c.written AS jsonb) FROM unnest(CAST(:ids AS text[]), CAST(:written AS text[])) "
    "AS c(run_id, written) WHERE runs.run_id = c.run_id"
)
_ADD = BulkInsert(variable_writes, ("run_id", "name", "value", "node", "by"))
_HISTORY = text(
    "SELECT position, name, value, node, by, written_at FROM variable_writes WHERE run_id = :run_id "
    "AND position > :after ORDER BY position LIMIT :limit"
)
# The last one that ended, of the innermost of these scopes that has one (0: outside of all). One that has failed, and
# was skipped by a person, has the output that was given then.
_OUTPUTS = text(
    f"""
    SELECT DISTINCT ON (node) node, output FROM steps
    WHERE run_id = :run_id AND node = ANY(:nodes) AND referenced
      AND (state = {DONE} OR state = {FAILED} AND output IS NOT NULL)
      AND coalesce(scope_id, 0) = ANY(:scopes)
    ORDER BY node, array_position(CAST(:scopes AS bigint[]), coalesce(scope_id, 0)) DESC, step_id DESC
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWrite:
    """A value that was written to a variable."""

    run_id: str
    name: str
    value: object
    node: str | None = None
    """The step that wrote it."""
    by: str | None = None
    """The person who did."""


@dataclass(frozen=True, slots=True)
class WrittenVariables(Repository):
    """The only code that writes the variables of runs; whoever does holds the lock of the run."""

    def keep(self, written: Mapping[str, Mapping[str, object]], writes: Sequence[NewWrite]) -> None:
        """Keep the variables of these runs as they are now, and a line for each value that was written."""
        ids = list(written)
        self.connection.execute(_KEEP, {"ids": ids, "written": [dump_json(written[each]) for each in ids]})
        _ADD(self.connection, [(each.run_id, each.name, each.value, each.node, each.by) for each in writes])

    def history(self, run_id: str, limit: int, *, after: int = 0) -> list[Mapping[str, Any]]:
        """The values that were written to the variables of a run, in their order, from behind this place on."""
        values = {"run_id": run_id, "limit": limit, "after": after}
        return [dict(row._mapping) for row in self.connection.execute(_HISTORY, values)]

    def outputs(self, run_id: str, nodes: Sequence[str], scopes: Sequence[int]) -> dict[str, Any]:
        """What these steps returned, as it is seen from the innermost of these scopes, the outermost first."""
        rows = self.connection.execute(
            _OUTPUTS, {"run_id": run_id, "nodes": list(nodes), "scopes": [0, *scopes]}
        )
        return {row.node: row.output for row in rows}
