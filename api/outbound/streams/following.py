"""Sending events to one client, from the first event to the reason why no more are sent."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol, TypeVar

from api.outbound.streams.listener import End, Listener
from runtime.logs import logger
from storage.core.unavailable import StorageUnavailable

_log = logger(__name__)

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)
More = Callable[[Listener, float], Awaitable[Sequence[Item]]]

BEAT_SECONDS: Final = 15.0
"""How often the other side is shown that the connection lives, and its key is looked at again."""
_STALLED_SECONDS: Final = 30.0
"""How long the other side may take nothing at all."""
_GRACE_SECONDS: Final = 1.0
"""What is left once no more events come: time for what waits to be sent."""


class StreamReader(Protocol[Item_contra]):
    """A client of a stream; each of these may take as long as it takes to send."""

    async def open(self) -> None:
        """Send what comes before the first event."""

    async def send(self, events: Sequence[Item_contra], /) -> None:
        """Send these events."""

    async def heartbeat(self) -> bool:
        """Show that the connection lives; whether its key still gives access."""


async def follow(
    client: StreamReader[Item],
    seat: AbstractContextManager[Listener],
    more: More[Item],
    gone: "asyncio.Future[Any]",
) -> End:
    """Send a client what happens until one of both sides ends it; why it ended.

    Args:
        client: Who gets it.
        seat: Its place among those who listen to this process.
        more: What follows for who sits there, within so many seconds.
        gone: Done when the other side has left, or wants something else.

    Raises:
        Refusal: too many listen already (503, 429 for this owner), or the process stops (503); nothing was sent.
    """
    with seat as listener:
        sending = asyncio.create_task(_send_on(client, listener, more))
        over = asyncio.create_task(listener.over.wait())
        try:
            await asyncio.wait({sending, over, gone}, return_when=asyncio.FIRST_COMPLETED)
            if over.done() and not gone.done():
                await asyncio.wait(
                    {sending, gone}, timeout=_GRACE_SECONDS, return_when=asyncio.FIRST_COMPLETED
                )
            if gone.done():
                return End.DISCONNECTED
            return sending.result() if sending.done() else End.SLOW
        finally:
            for task in (sending, over):
                task.cancel()
            await asyncio.gather(sending, over, return_exceptions=True)


async def _send_on(client: StreamReader[Item], listener: Listener, more: More[Item]) -> End:
    beat_at = time.monotonic() + BEAT_SECONDS
    await client.open()
    while True:
        try:
            events = await more(listener, max(0.0, beat_at - time.monotonic()))
        except StorageUnavailable as error:
            _log.warning("events cannot be read", error=str(error))
            return End.OUTAGE
        if not events and listener.end is not None:
            return listener.end
        try:
            async with asyncio.timeout(_STALLED_SECONDS):
                if events:
                    await client.send(events)
                if time.monotonic() >= beat_at:
                    beat_at = time.monotonic() + BEAT_SECONDS
                    if not await client.heartbeat():
                        return End.REVOKED
        except TimeoutError:
            return End.SLOW
