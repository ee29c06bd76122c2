"""Sends orders to the stream at a constant rate while something else is measured."""

import threading
import time
from types import TracebackType
from typing import Final, Self

import redis

from bench.orders import documents
from workers.intake.stream import STREAM

_EVERY: Final = 0.1
"""Seconds between two looks at how many are due."""


class StreamFeed:
    """Sends this many orders a second from enter to exit."""

    def __init__(self, broker_url: str, rate: float) -> None:
        self._client = redis.Redis.from_url(broker_url)
        self._rate = rate
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._send, name="stream-feed")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._enough.set()
        self._thread.join()
        self._client.close()

    def _send(self) -> None:
        began, sent = time.monotonic(), 0
        while not self._enough.wait(_EVERY):
            due = int((time.monotonic() - began) * self._rate)
            with self._client.pipeline(transaction=False) as pipeline:
                for document in documents(due - sent):
                    pipeline.xadd(STREAM, {"payload": document})
                pipeline.execute()
            sent = due
