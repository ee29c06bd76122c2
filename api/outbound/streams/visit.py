"""One visit to the events: from the first event told to the reason why no more are."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final, Protocol

from api.outbound.streams.broadcast import Broadcast
from api.outbound.streams.listener import End, Listener
from runtime.logs import logger
from storage.core.unavailable import StorageUnavailable
from storage.outbound.feed import Cursor, FeedEvent

_log = logger(__name__)

BEAT_SECONDS: Final = 15.0
"""How often the other side is shown that the connection lives, and its key is looked at again."""
_STALLED_SECONDS: Final = 30.0
"""How long the other side may take nothing at all."""
_GRACE_SECONDS: Final = 1.0
"""What is left of a visit that is over: time for what waits to be sent."""


class Visitor(Protocol):
    """The other side of a visit; each of these may take as long as it takes to send."""

    async def begin(self) -> None:
        """There is a place for it: what comes before the first event is sent."""

    async def tell(self, events: Sequence[FeedEvent]) -> None:
        """These happened; they are sent."""

    async def beat(self) -> bool:
        """It is shown that the connection lives; whether its key is still let in."""


async def visit(
    broadcast: Broadcast, visitor: Visitor, run_id: str | None, after: Cursor, gone: "asyncio.Future[Any]"
) -> End:
    """Tell a visitor what happens until one of both sides has enough; why it ended.

    Args:
        broadcast: Where events come from.
        visitor: Who is told.
        run_id: The run, or `None` for everything.
        after: The place it goes on from.
        gone: Done when the other side has left, or wants something else.

    Raises:
        Refusal: too many listen already, or the process stops (503); nothing was sent.
    """
    with broadcast.listen(run_id, after) as listener:
        telling = asyncio.create_task(_tell_on(broadcast, visitor, listener))
        over = asyncio.create_task(listener.over.wait())
        try:
            await asyncio.wait({telling, over, gone}, return_when=asyncio.FIRST_COMPLETED)
            if over.done() and not gone.done():
                await asyncio.wait(
                    {telling, gone}, timeout=_GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
            if gone.done():
                return End.LEFT
            return telling.result() if telling.done() else End.SLOW
        finally:
            for task in (telling, over):
                task.cancel()
            await asyncio.gather(telling, over, return_exceptions=True)


async def _tell_on(broadcast: Broadcast, visitor: Visitor, listener: Listener) -> End:
    beat_at = time.monotonic() + BEAT_SECONDS
    await visitor.begin()
    while True:
        try:
            events = await broadcast.more(listener, max(0.0, beat_at - time.monotonic()))
        except StorageUnavailable as error:
            _log.warning("events cannot be read", error=str(error))
            return End.OUTAGE
        if not events and listener.end is not None:
            return listener.end
        try:
            async with asyncio.timeout(_STALLED_SECONDS):
                if events:
                    await visitor.tell(events)
                if time.monotonic() >= beat_at:
                    beat_at = time.monotonic() + BEAT_SECONDS
                    if not await visitor.beat():
                        return End.UNWELCOME
        except TimeoutError:
            return End.SLOW
