"""How many steps each queue holds, by state, and how long the oldest of them has waited for a worker."""

from dataclasses import dataclass

from sqlalchemy import text

from storage.core.unit_of_work import Repository
from storage.engine.states import LEASED, PUBLISHED, READY, TIMED

# Each branch repeats the condition of one partial index.
_BY_QUEUE = text(
    f"""
    SELECT queue, state, count(*) AS rows,
           extract(epoch FROM clock_timestamp() - min(waiting_since)) AS oldest_seconds
    FROM (
        SELECT queue, state, ready_at AS waiting_since
        FROM steps WHERE state = {READY} AND NOT held
        UNION ALL
        SELECT queue, state,
               coalesce(ready_at, created_at)
        FROM steps WHERE state = {PUBLISHED}
        UNION ALL
        SELECT queue, state, NULL FROM steps WHERE state = {LEASED}
        UNION ALL
        SELECT queue, state, NULL FROM steps WHERE state IN ({TIMED}) AND NOT held
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
    """Counts the steps that are not over."""

    def by_queue(self) -> tuple[StepCount, ...]:
        """By queue and state; those of paused runs wait for a person and are not among the waiting."""
        rows = self.connection.execute(_BY_QUEUE)
        return tuple(StepCount(r.queue, r.state, r.rows, float(r.oldest_seconds or 0)) for r in rows)
