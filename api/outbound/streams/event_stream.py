"""Server-sent events: an answer that goes on (WHATWG HTML, section 9.2)."""

import asyncio
from collections.abc import Sequence
from typing import Final

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.outbound.streams.broadcast import Broadcast
from api.outbound.streams.event_view import shown
from api.outbound.streams.following import follow
from api.outbound.streams.listener import End
from api.server.admission import Admission
from storage.outbound.feed import Cursor, FeedEvent

MEDIA_TYPE: Final = "text/event-stream"
_RETRY_MILLISECONDS: Final = 2000
_HEARTBEAT: Final = b":\n\n"


class EventStream(Response):
    """Sends events as they happen; each carries the id that a client resumes from."""

    media_type = MEDIA_TYPE

    def __init__(
        self,
        broadcast: Broadcast,
        run_id: str | None,
        after: Cursor,
        admission: Admission,
    ) -> None:
        """Take what to send: of one run or of all, from this place on, while the admission holds."""
        # A proxy that buffers would hold back what should be seen now.
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._broadcast = broadcast
        self._run_id = run_id
        self._after = after
        self._admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI calls it
        """Send until the run has ended, the client leaves or takes too little, or the process stops.

        Raises:
            Refusal: too many listen already, or the process stops (503); nothing was sent.
        """
        gone = asyncio.create_task(_left(receive))
        try:
            end = await follow(
                self._broadcast,
                _Reader(self, send, self._admission),
                self._run_id,
                self._after,
                gone,
                holder=self._admission.owner,
            )
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


class _Reader:
    """The client of a stream, as `follow` has it."""

    def __init__(self, stream: EventStream, send: Send, admission: Admission) -> None:
        self._stream = stream
        self._asgi_send = send
        self._admission = admission

    async def open(self) -> None:
        await self._stream.open(self._asgi_send)

    async def send(self, events: Sequence[FeedEvent]) -> None:
        await _write(self._asgi_send, b"".join(map(_frame, events)))

    async def heartbeat(self) -> bool:
        await _write(self._asgi_send, _HEARTBEAT)
        return await self._admission.holds()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _write(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


def _frame(event: FeedEvent) -> bytes:
    data = shown(event).model_dump_json()
    return f"id: {event.cursor}\nevent: {event.event_type}\ndata: {data}\n\n".encode()
