"""Server-sent events: an answer that goes on (WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final, Generic

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.outbound.streams.following import Item, More, follow
from api.outbound.streams.listener import End, Listener
from api.server.admission import Admission

MEDIA_TYPE: Final = "text/event-stream"
_RETRY_MILLISECONDS: Final = 2000
_HEARTBEAT: Final = b":\n\n"


class EventStream(Response, Generic[Item]):
    """Sends what happens as it happens; each event carries the id that a client resumes from."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        seat: AbstractContextManager[Listener],
        more: More[Item],
        *,
        after: str,
        frame: Callable[[Item], bytes],
        admission: Admission,
    ) -> None:
        """Take what to send, and where a client goes on that has received nothing; while the admission holds."""
        # A proxy that buffers would hold back what should be seen now.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._seat = seat
        self._more = more
        self._after = after
        self._frame = frame
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI calls it
        """Send until the run has ended, the client leaves or takes too little, or the process stops.

        Raises:
            Refusal: too many listen already, or the process stops (503); nothing was sent.
        """
        gone = asyncio.create_task(_left(receive))
        try:
            reader = _Reader(self, send, self._frame, self._admission)
            end = await follow(reader, self._seat, self._more, gone)
        finally:
            gone.cancel()
            await asyncio.gather(gone, return_exceptions=True)
        # What a slow client has not taken would have to be waited for: it is cut off instead.
        if end not in {End.DISCONNECTED, End.SLOW}:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def open(self, send: Send) -> None:
        """Send the headers and the place to resume from, which a client keeps though there is no event yet."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await _write(send, f"retry: {_RETRY_MILLISECONDS}\nid: {self._after}\n\n".encode())


class _Reader(Generic[Item]):
    """The client of a stream, as `follow` has it."""

    def __init__(
        self, stream: EventStream[Item], send: Send, frame: Callable[[Item], bytes], admission: Admission
    ) -> None:
        self._stream = stream
        self._asgi_send = send
        self._frame = frame
        self._admission = admission

    async def open(self) -> None:
        await self._stream.open(self._asgi_send)

    async def send(self, events: Sequence[Item], /) -> None:
        await _write(self._asgi_send, b"".join(map(self._frame, events)))

    async def heartbeat(self) -> bool:
        await _write(self._asgi_send, _HEARTBEAT)
        return await self._admission.holds()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def frame_of(place: str, event_type: str, data: str) -> bytes:
    """One event as it is sent: its id, what it is, and JSON in one line."""
    return f"id: {place}\nevent: {event_type}\ndata: {data}\n\n".encode()
