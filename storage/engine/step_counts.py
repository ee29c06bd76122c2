"""How many steps each queue holds, by state, and how long the oldest of them has waited for a worker."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import LEASED, PUBLISHED, READY, TIMED

MOST: Final = 10_000
"""Rows that are counted of a queue's ready ones, and of all that wait for a moment: past it a number says "so many
at least", and costs no more."""

# Each branch repeats the condition of one partial index. What is published or leased is as little as workers hold.
_BY_QUEUE = text(
    f"""
    SELECT queue, state, count(*) AS rows,
           extract(epoch FROM clock_timestamp() - min(waiting_since)) AS oldest_seconds
    FROM (
        SELECT queue, state, waiting_since FROM unnest(CAST(:queues AS text[])) AS q(name) CROSS JOIN LATERAL (
            SELECT queue, state, ready_at AS waiting_since
            FROM steps WHERE queue = q.name AND state = {READY} AND NOT held ORDER BY urgency LIMIT :most
        ) AS ready
        UNION ALL
        SELECT queue, state,
               coalesce(ready_at, created_at)
        FROM steps WHERE state = {PUBLISHED}
        UNION ALL
        SELECT queue, state, NULL FROM steps WHERE state = {LEASED}
        UNION ALL
        (SELECT queue, state, NULL FROM steps WHERE state IN ({TIMED}) AND NOT held LIMIT :most_timed)
    ) AS waiting WHERE queue IS NOT NULL GROUP BY queue, state
    """,
)


@dataclass(frozen=True, slots=True)
class StepCount:
    """Steps of a queue in one state; the age in seconds of the oldest of them that waits for a worker."""

    queue: str
    state: str
    rows: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class StepCounts(Repository):
    """Counts the steps that are not over, up to a number."""

    def by_queue(
        self, queues: Collection[str], *, most: int = MOST, most_timed: int = MOST
    ) -> tuple[StepCount, ...]:
        """By queue and state; those of paused runs wait for a person and are not among the waiting.

        Args:
            queues: Whose ready steps are counted.
            most: How many of them at most, of each queue.
            most_timed: How many of those that wait for a moment, of all queues together.
        """
        rows = self.connection.execute(
            _BY_QUEUE, {"queues": list(queues), "most": most, "most_timed": most_timed}
        )
        return tuple(StepCount(r.queue, r.state, r.rows, float(r.oldest_seconds or 0)) for r in rows)
