"""Distributes events from the tables to all listeners of this process, with one reader."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from api.outbound.streams.listener import End, Listener
from api.server.refusal import Refusal
from runtime.logs import logger
from schemas.core.error import Code
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.outbound.feed import ORIGIN, Cursor, Ended, Feed, FeedEvent, FeedPage

_log = logger(__name__)

MOST_LISTENERS: Final = 200
"""Connections of one process that may listen at the same time."""
MOST_OF_OWNER: Final = 40
"""How many of them one key may have: nobody takes all the seats."""
_PAUSE_SECONDS: Final = 0.25
_OUTAGE_SECONDS: Final = 1.0
_PAGE: Final = 500
_NOBODY: Final = Ended(runs=frozenset(), horizon=0)
_RETRY_AFTER: Final = MappingProxyType({"Retry-After": "5"})


@dataclass(frozen=True, slots=True)
class _Reading:
    page: FeedPage
    ended: Ended


class Broadcast:
    """Gives listeners what happens, in order, each event once, from the place where each left off.

    It reads while somebody listens and not otherwise. Belongs to one event loop. Nothing that is decided
    depends on it (SPEC.md §10).
    """

    def __init__(
        self, database: Database, *, most: int = MOST_LISTENERS, most_of_owner: int = MOST_OF_OWNER
    ) -> None:
        self._database = database
        self._most = most
        self._most_of_owner = most_of_owner
        self._held: Counter[str] = Counter()
        self._listeners: set[Listener] = set()
        self._live: set[Listener] = set()
        self._position = ORIGIN
        """Everything up to here was offered to whoever is live."""
        self._ending: Mapping[str, int] = {}
        """Runs seen to have ended, and the transaction behind all their events."""
        self._reader: asyncio.Task[None] | None = None
        self._stopping = False

    @contextmanager
    def listen(self, run_id: str | None, after: Cursor, holder: str) -> Iterator[Listener]:
        """A listener of one run, or of all, from a place on, for as long as the context lasts.

        Raises:
            Refusal: too many listen already, or the process stops (503); this owner of keys does so too often (429).
        """
        self.require_seat(holder)
        listener = Listener(run_id, after)
        self._listeners.add(listener)
        self._held[holder] += 1
        try:
            yield listener
        finally:
            self._listeners.discard(listener)
            self._live.discard(listener)
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]

    def require_seat(self, holder: str) -> None:
        """Return where this owner of keys may listen once more.

        Raises:
            Refusal: too many listen already, or the process stops (503); this owner of keys does so too often (429).
        """
        if self._stopping or len(self._listeners) >= self._most:
            raise Refusal(
                Code.SERVICE_UNAVAILABLE,
                "too many listen to events here: try again, or ask for pages with ?format=json",
                headers=_RETRY_AFTER,
            )
        if self._held[holder] >= self._most_of_owner:
            raise Refusal(
                Code.RATE_LIMITED,
                f"'{holder}' listens to events {self._most_of_owner} times here already: end one first",
                headers=_RETRY_AFTER,
            )

    async def more(self, listener: Listener, seconds: float) -> Sequence[FeedEvent]:
        """What follows for this listener: what is kept at once, then what happens within this time.

        Raises:
            StorageUnavailable: what is kept cannot be read.
        """
        while not listener.live and listener.end is None:
            page = await asyncio.to_thread(self._kept, listener)
            listener.position = page.next
            if page.complete:
                self._join(listener)
            if page.events:
                return page.events
        return await listener.take(seconds)

    def end(self) -> None:
        """End every listener and take no more: the process stops."""
        self._stopping = True
        for listener in self._listeners:
            listener.finish(End.STOPPING)

    async def close(self) -> None:
        """End every listener, and wait for the reading that is under way."""
        self.end()
        if self._reader is not None:
            await asyncio.wait([self._reader])

    def _join(self, listener: Listener) -> None:
        """Offer it what happens, unless the reader is ahead of it: then it reads what is kept once more."""
        if self._reader is None:
            self._position = listener.position
            # The first listener's context (its request id) is not that of the others.
            self._reader = asyncio.get_running_loop().create_task(self._read_on(), context=Context())
        if self._position <= listener.position:
            listener.live = True
            self._live.add(listener)

    async def _read_on(self) -> None:
        try:
            # `_join` starts this before it adds its listener; both happen before the first step here.
            while self._live:
                try:
                    reading = await asyncio.to_thread(self._read, self._position, self._watched())
                except StorageUnavailable as error:
                    _log.warning("events cannot be read", error=str(error))
                    await asyncio.sleep(_OUTAGE_SECONDS)
                    continue
                self._offer(reading)
                if reading.page.complete:
                    await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            # No await lies between the last look at the listeners and this line, so nobody is left behind.
            self._reader = None
            for listener in self._live:
                listener.finish(End.OUTAGE)

    def _watched(self) -> frozenset[str]:
        return frozenset(listener.run_id for listener in self._live if listener.run_id is not None)

    def _offer(self, reading: _Reading) -> None:
        page, ended = reading.page, reading.ended
        self._position = page.next
        of_run: dict[str, list[FeedEvent]] = {}
        for event in page.events:
            of_run.setdefault(event.execution_id, []).append(event)
        for listener in self._live:
            listener.offer(page.events if listener.run_id is None else of_run.get(listener.run_id, ()))
            # Seen to have ended before this page was read, which reaches beyond the end: nothing is missing.
            ended_at = self._ending.get(listener.run_id or "")
            if ended_at is not None and listener.run_id in ended.runs and page.next.order >= ended_at:
                listener.finish(End.COMPLETE)
        self._ending = {run_id: self._ending.get(run_id, ended.horizon) for run_id in ended.runs}

    def _read(self, after: Cursor, watched: frozenset[str]) -> _Reading:
        with self._database.transaction() as work:
            page = Feed(work).page(after, limit=_PAGE)
            return _Reading(page, Feed(work).ended(watched) if watched else _NOBODY)

    def _kept(self, listener: Listener) -> FeedPage:
        with self._database.transaction() as work:
            return Feed(work).page(listener.position, run_id=listener.run_id, limit=_PAGE)
