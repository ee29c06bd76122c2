"""Where a new row may be published at once, and where it waits: backpressure and priority in one place."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from storage.engine.urgency import urgency


@dataclass(slots=True)
class Room:
    """How many more rows each queue takes before it is full, and what already waits for it.

    A successor is published straight after the commit only where its queue drains and nothing more urgent
    waits; otherwise it stays `ready` for the dispatcher (ARCHITECTURE.md, the life of a step).
    """

    rows_left: dict[str, int]
    waiting: Mapping[str, datetime | None] = field(default_factory=dict)

    def take(self, queue: str, database_now: datetime, priority: int) -> bool:
        """Whether a row of this priority that is ready now may be published at once; takes its place if so."""
        if self.rows_left.get(queue, 0) <= 0:
            return False
        most_urgent = self.waiting.get(queue)
        if most_urgent is not None and most_urgent <= urgency(database_now, priority):
            return False
        self.rows_left[queue] -= 1
        return True
