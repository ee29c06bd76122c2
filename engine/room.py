"""Decides whether a new row is published at once or waits: backpressure and priority."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Room:
    """The number of rows each queue can take, and the urgency of those that wait for it.

    A successor is published straight after the commit only where its queue drains and nothing more urgent
    waits; otherwise it stays `ready` for the dispatcher (ARCHITECTURE.md, the life of a step).
    """

    rows_left: dict[str, int]
    waiting: Mapping[str, datetime | None] = field(default_factory=dict)

    def take(self, queue: str, urgency: datetime) -> bool:
        """Reserve room for a ready row of this urgency; whether it may be published at once."""
        if self.rows_left.get(queue, 0) <= 0:
            return False
        most_urgent = self.waiting.get(queue)
        if most_urgent is not None and most_urgent <= urgency:
            return False
        self.rows_left[queue] -= 1
        return True
