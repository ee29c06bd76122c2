"""Keys of starts: by which a second start is known to be the first one."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import text

from storage.core.unit_of_work import Repository

_RESERVE = text(
    """
    INSERT INTO run_keys (workflow, key, run_id)
    SELECT * FROM unnest(CAST(:workflows AS text[]), CAST(:keys AS text[]), CAST(:runs AS text[]))
        AS k(workflow, key, run_id) ORDER BY workflow, key
    ON CONFLICT DO NOTHING
    """
)
_FIND = text(
    """
    SELECT k.workflow, k.key, r.run_id FROM unnest(CAST(:workflows AS text[]), CAST(:keys AS text[]))
        AS k(workflow, key) JOIN run_keys r USING (workflow, key)
    """
)


@dataclass(frozen=True, slots=True)
class RunKeys(Repository):
    """The only code that writes `run_keys`."""

    def reserve(self, starts: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
        """Keep these keys for runs that are about to begin, by workflow and key; the run that each belongs to."""
        values = {
            "workflows": [workflow for workflow, _ in starts],
            "keys": [key for _, key in starts],
            "runs": list(starts.values()),
        }
        self.connection.execute(_RESERVE, values)
        del values["runs"]
        rows = self.connection.execute(_FIND, values)
        return {(row.workflow, row.key): row.run_id for row in rows}
