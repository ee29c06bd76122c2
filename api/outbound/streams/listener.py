"""A client's queue of events, and the reason when it ends."""

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Final

from storage.outbound.feed import Cursor, FeedEvent

MOST_WAITING: Final = 1000
"""Events that may wait for one who takes them slowly."""


class End(Enum):
    """Why a stream of events ends."""

    COMPLETE = "the run has ended, and everything was told"
    STOPPING = "the process stops"
    SLOW = "too much was waiting to be taken"
    OUTAGE = "the events cannot be read at the moment"
    REVOKED = "the key is let in no more"
    DISCONNECTED = "nobody is there"


class Listener:
    """A bounded queue between the feed and one connection; belongs to one event loop."""

    def __init__(self, run_id: str | None, after: Cursor, *, most: int = MOST_WAITING) -> None:
        """Listen to one run, or to all, from a place on."""
        self.run_id = run_id
        self.position = after
        """Everything up to here was taken or waits to be."""
        self.live = False
        """Whether the reader offers it what happens; before that it reads what is kept."""
        self.over = asyncio.Event()
        self.end: End | None = None
        self._most = most
        self._waiting: deque[FeedEvent] = deque()
        self._news = asyncio.Event()

    def offer(self, events: Sequence[FeedEvent]) -> None:
        """Add events to the queue, without those already known."""
        fresh = [event for event in events if event.cursor > self.position]
        if not fresh or self.end is not None:
            return
        if len(self._waiting) + len(fresh) > self._most:
            self._waiting.clear()
            self.finish(End.SLOW)
            return
        self._waiting.extend(fresh)
        self.position = fresh[-1].cursor
        self._news.set()

    def finish(self, end: End) -> None:
        """Nothing more comes after what waits; the first reason stays."""
        if self.end is None:
            self.end = end
            self.over.set()
            self._news.set()

    async def take(self, seconds: float) -> Sequence[FeedEvent]:
        """What waits, or what comes first within this time; nothing when it is over or nothing came."""
        if not self._waiting and self.end is None:
            try:
                async with asyncio.timeout(seconds):
                    await self._news.wait()
            except TimeoutError:
                return ()
        self._news.clear()
        taken = tuple(self._waiting)
        self._waiting.clear()
        return taken
