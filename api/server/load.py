"""How busy the fleet is, as answers show it: steps by queue, workers by queue."""

from collections.abc import Sequence

from schemas.core.load import QueueLoad, WorkersView
from storage.core.unit_of_work import UnitOfWork
from storage.engine.step_counts import StepCount, StepCounts
from storage.engine.workers import Workers, WorkersSeen


def loads(work: UnitOfWork, queues: Sequence[str]) -> dict[str, QueueLoad]:
    """The steps that are not done, of each of these queues; without those of paused runs; counted to a number."""
    rows = StepCounts(work).by_queue(queues)
    return {queue: _load([row for row in rows if row.queue == queue]) for queue in queues}


def workers(work: UnitOfWork, names: Sequence[str]) -> dict[str, WorkersView]:
    """The worker processes of these queues, and of other processes by name."""
    seen = Workers(work).seen()
    found = {name: seen.get(name, WorkersSeen()) for name in names}
    return {
        name: WorkersView(connections=one.connections, at_work=one.at_work) for name, one in found.items()
    }


def _load(rows: Sequence[StepCount]) -> QueueLoad:
    counts = {row.state: row.rows for row in rows}
    return QueueLoad(
        waiting=counts.get("ready", 0),
        published=counts.get("published", 0),
        leased=counts.get("leased", 0),
        parked=counts.get("parked", 0),
        scheduled=counts.get("scheduled", 0),
        offered=counts.get("offered", 0),
        oldest_seconds=round(max((row.oldest_seconds for row in rows), default=0.0), 3),
    )
