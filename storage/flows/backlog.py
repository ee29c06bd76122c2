"""How many steps of general work wait for a worker."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import READY

# Counted to the limit and no further: what a full queue costs does not grow with what waits in it.
_WAITING: Final = text(
    f"""
    SELECT queue, (
        SELECT count(*) FROM (
            SELECT FROM steps s WHERE s.queue = wanted.queue AND s.state = {READY} AND NOT s.held
                AND s.subject_id IS NULL LIMIT :most
        ) AS counted
    ) AS waiting
    FROM unnest(CAST(:queues AS text[])) AS wanted (queue)
    """
)


@dataclass(frozen=True, slots=True)
class Backlog(Repository):
    """Counts what waits; it writes nothing."""

    def waiting(self, queues: Collection[str], most: int) -> dict[str, int]:
        """The steps of general work that are ready in each of these queues, counted to this number."""
        rows = self.connection.execute(_WAITING, {"queues": sorted(queues), "most": most})
        return {row.queue: row.waiting for row in rows}
