"""Messages in the broker's queues: repeated, reordered, truncated, as a broker and a network may do."""

import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import redis

_LOOKING: Final = 2.0
"""Seconds for which messages are looked for: they wait for milliseconds."""
_PAUSE: Final = 0.01
_UNACKED: Final = "unacked"
"""Where kombu notes what a worker has taken and not acknowledged: the message, its exchange, its queue."""


class Messages:
    """The messages of a broker's queues, which are lists that workers take from the right."""

    def __init__(self, broker_url: str, queues: Sequence[str], seed: int) -> None:
        self._broker: Any = redis.Redis.from_url(broker_url, socket_timeout=5)
        self._queues = queues
        self._drawn = random.Random(seed)  # noqa: S311 - faults, not secrets

    def flush(self) -> int:
        """Forget everything: queues, what is under way, the stream."""
        self._broker.flushall()
        return 1

    def repeat(self, times: int) -> int:
        """Send messages that wait or are being worked on once more; how many."""
        return self._over(self._repeat_some, times)

    def reorder(self, times: int) -> int:
        """Hold messages back for a moment and let them come in another order; how many."""
        held: list[tuple[str, bytes]] = []
        self._over(lambda: self._take_some(held), times)
        self._drawn.shuffle(held)
        for queue, message in held:
            self._broker.lpush(queue, message)
        return len(held)

    def truncate(self, times: int) -> int:
        """Cut messages short; how many."""
        return self._over(self._truncate_some, times)

    def close(self) -> None:
        """Close the connection."""
        self._broker.close()

    def _over(self, make: Callable[[], int], times: int) -> int:
        """Make it again and again until it struck so many, or for a while."""
        made, deadline = 0, time.monotonic() + _LOOKING
        while made < times and time.monotonic() < deadline:
            made += make()
            time.sleep(_PAUSE)
        return made

    def _repeat_some(self) -> int:
        found: list[tuple[str, bytes]] = [
            (queue, message) for queue in self._queues for message in self._broker.lrange(queue, 0, -1)
        ]
        found += self._under_way(self._broker.hvals(_UNACKED))
        for queue, message in found:
            self._broker.rpush(queue, message)
        return len(found)

    def _under_way(self, noted: Iterable[bytes]) -> list[tuple[str, bytes]]:
        messages = [json.loads(each) for each in noted]
        return [
            (queue, json.dumps(message).encode()) for message, _, queue in messages if queue in self._queues
        ]

    def _take_some(self, held: list[tuple[str, bytes]]) -> int:
        before = len(held)
        for queue in self._queues:
            message = self._broker.rpop(queue)
            if message is not None:
                held.append((queue, message))
        return len(held) - before

    def _truncate_some(self) -> int:
        cut = 0
        for queue in self._queues:
            message = self._broker.rpop(queue)
            if message is not None:
                self._broker.rpush(queue, message[: len(message) // 2])
                cut += 1
        return cut
