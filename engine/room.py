"""Decides whether a new row is published at once or waits: backpressure and priority."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from engine.limits import Limits
from engine.publisher import Publisher, WireUnavailable


@dataclass(slots=True)
class Room:
    """The number of rows each queue can take, and the urgency of those that wait for it.

    A successor is published straight after the commit only where its queue drains and nothing more urgent
    waits; otherwise it stays `ready` for the dispatcher (ARCHITECTURE.md, the life of a step).
    """

    rows_left: dict[str, int]
    waiting: Mapping[str, datetime | None] = field(default_factory=dict)

    @classmethod
    def of(cls, publisher: Publisher, queues: Sequence[str], limits: Limits) -> "Room":
        """The room that these queues have; none while the broker does not answer."""
        try:
            depths = publisher.depths(queues)
        except WireUnavailable:
            return cls({})
        free = {queue: limits.low_water - depths.get(queue, 0) for queue in queues}
        return cls({queue: left * limits.largest_batch for queue, left in free.items() if left > 0})

    def take(self, queue: str, urgency: datetime) -> bool:
        """Reserve room for a ready row of this urgency; whether it may be published at once."""
        if self.rows_left.get(queue, 0) <= 0:
            return False
        most_urgent = self.waiting.get(queue)
        if most_urgent is not None and most_urgent <= urgency:
            return False
        self.rows_left[queue] -= 1
        return True
