"""What has changed, told to every open page at once: one reader of the database a process, one stream a browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

from starlette.responses import StreamingResponse

from console.server.times import iso
from runtime.logs import logger
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from storage.outbound.feed import Cursor
from tasks.orders.explain.pulse import Pulse, read_pulse

_log = logger(__name__)

PAUSE_SECONDS: Final = 0.5
"""Between two looks; a page shows what was committed within a second."""
BEAT_SECONDS: Final = 2.0
"""How often a page is told at least that we are there: it says within 3 seconds that we are not (CONSOLE.md §11)."""
_RETRY_MILLISECONDS: Final = 1000
MOST_LISTENERS: Final = 200
_MOST_WAITING: Final = 8


class Live:
    """Reads while somebody listens and not otherwise. Belongs to one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[asyncio.Queue[bytes | None]] = set()
        self._reader: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def is_full(self) -> bool:
        """Whether nobody more may listen, or the process stops."""
        return self._stopping or len(self._listeners) >= MOST_LISTENERS

    def stream(self) -> StreamingResponse:
        """A stream of changes, from now on: the first says how everything stands, so that nothing can be missed."""
        return StreamingResponse(
            self._listen(),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    def end(self) -> None:
        """End every stream and begin no more."""
        self._stopping = True
        for listener in self._listeners:
            _put(listener, None)

    async def close(self) -> None:
        """End every stream, and wait for the look that is under way."""
        self.end()
        if self._reader is not None:
            await asyncio.wait([self._reader])

    async def _listen(self) -> AsyncIterator[bytes]:
        listener: asyncio.Queue[bytes | None] = asyncio.Queue(_MOST_WAITING)
        self._listeners.add(listener)
        try:
            if self._reader is None:
                self._reader = asyncio.create_task(self._read_on())
            yield f"retry: {_RETRY_MILLISECONDS}\n\n".encode()
            while True:
                try:
                    async with asyncio.timeout(BEAT_SECONDS):
                        frame = await listener.get()
                except TimeoutError:
                    frame = b"event: beat\ndata: {}\n\n"
                if frame is None:
                    return
                yield frame
        finally:
            self._listeners.discard(listener)

    async def _read_on(self) -> None:
        place: Cursor | None = None
        told: dict[str, Any] = {}
        informed: set[asyncio.Queue[bytes | None]] = set()
        try:
            while self._listeners and not self._stopping:
                try:
                    pulse = await asyncio.to_thread(read_pulse, self._database, place)
                except StorageUnavailable as error:
                    _log.warning("changes cannot be read", error=str(error))
                    await asyncio.sleep(BEAT_SECONDS)
                    continue
                place = pulse.next
                said = _said(pulse)
                is_news = said != told or bool(pulse.tasks)
                news = {"tasks": list(pulse.tasks), "cut": pulse.is_cut, "now": iso(pulse.bar.business_now)}
                frame = _frame(said | news)
                for listener in self._listeners:
                    if is_news or listener not in informed:
                        _put(listener, frame)
                informed, told = set(self._listeners), said
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            # No await lies between the last look at the listeners and this line, so nobody is left behind.
            self._reader = None


def _said(pulse: Pulse) -> dict[str, Any]:
    bar = pulse.bar
    return {
        "revisions": dict(pulse.revisions),
        "reviews": bar.open_reviews,
        "alerts": bar.open_alerts,
        "unaccounted": bar.unaccounted,
        "rate": bar.moments.anchor.rate,
    }


def _frame(data: dict[str, Any]) -> bytes:
    return f"event: pulse\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def _put(listener: "asyncio.Queue[bytes | None]", frame: bytes | None) -> None:
    """Give a listener what is new; one that takes nothing is cut off, and comes again."""
    if listener.full():
        while not listener.empty():
            listener.get_nowait()
        frame = None
    listener.put_nowait(frame)
