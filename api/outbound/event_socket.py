"""The events of one execution over a WebSocket (SPEC.md §6; RFC 6455).

The key comes in the `Authorization` header of the handshake, or in the first message from clients that cannot
set one; never in the address, which ends up in logs. What is sent is what server-sent events carry, with the id.
"""

import asyncio
from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect, WebSocketState

from api.outbound.streams.broadcast import Broadcast
from api.outbound.streams.event_view import place, placed
from api.outbound.streams.following import follow
from api.outbound.streams.listener import End
from api.server.admission import Admission
from api.server.authentication import AGENT_HEADER, bearer
from api.server.coalescer import CoalescerClosed
from api.server.refusal import Refusal
from api.server.services import Services
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.outbound.events import SocketMessage
from storage.core.unavailable import StorageUnavailable
from storage.outbound.feed import ORIGIN, Cursor, Feed, FeedEvent

router = APIRouter()

INTRODUCTION_SECONDS: Final = 5.0
"""How long a client without the header may take to say who it is."""
_LONGEST_MESSAGE: Final = 1024


class Close(IntEnum):
    """Why the server closes: RFC 6455 §7.4.1, and 4000 plus the status HTTP would have had."""

    COMPLETE = 1000
    STOPPING = 1012
    TRY_AGAIN = 1013
    UNREADABLE = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    NOT_FOUND = 4404
    UNKNOWN_PLACE = 4422
    RATE_LIMITED = 4429


_OF_REFUSAL: Final = {
    Code.UNAUTHORIZED: Close.UNAUTHORIZED,
    Code.FORBIDDEN: Close.FORBIDDEN,
    Code.NOT_FOUND: Close.NOT_FOUND,
    Code.VALIDATION_FAILED: Close.UNKNOWN_PLACE,
    Code.RATE_LIMITED: Close.RATE_LIMITED,
    Code.BAD_REQUEST: Close.UNREADABLE,
}
_OF_END: Final = {
    End.COMPLETE: Close.COMPLETE,
    End.STOPPING: Close.STOPPING,
    End.REVOKED: Close.UNAUTHORIZED,
}


@router.websocket("/ws/executions/{execution_id}")
async def follow_execution(websocket: WebSocket, execution_id: str) -> None:
    """Send what happens in one execution from its beginning, or from `after` on, until it has ended.

    A message `{"after": id}` goes on from there; it may come at any time, and with the key in the first one.
    """
    await websocket.accept()
    try:
        close, reason = await _converse(websocket, execution_id)
    except Refusal as refusal:
        close, reason = _OF_REFUSAL.get(refusal.code, Close.TRY_AGAIN), refusal.message
    except (StorageUnavailable, CoalescerClosed):
        close, reason = Close.TRY_AGAIN, "a server this needs does not answer: try again"
    except WebSocketDisconnect:
        return
    if websocket.client_state is WebSocketState.CONNECTED:
        # 123 bytes is what a closing frame has room for.
        await websocket.close(close, reason.encode()[:120].decode(errors="ignore"))


async def _converse(websocket: WebSocket, execution_id: str) -> tuple[Close, str]:
    services: Services = websocket.app.state.services
    said = SocketMessage()
    key = websocket.headers.get("Authorization")
    if key is None:
        said = await _introduced(websocket)
        key = said.authorization or ""
    admission = await Admission.seek(
        services,
        bearer(key),
        address=websocket.client.host if websocket.client else "",
        agent=websocket.headers.get(AGENT_HEADER),
        scope=Scope.READ,
    )
    start = await asyncio.to_thread(_start, services, execution_id, said.after)
    return await _send_all(websocket, services, admission, execution_id, start)


async def _send_all(
    websocket: WebSocket, services: Services, admission: Admission, execution_id: str, start: Cursor
) -> tuple[Close, str]:
    client = _Client(websocket, admission)
    while True:
        received = asyncio.create_task(_message(websocket))
        try:
            end = await follow(services.of(Broadcast), client, execution_id, start, received)
        finally:
            received.cancel()
            await asyncio.gather(received, return_exceptions=True)
        if end is not End.DISCONNECTED:
            return _OF_END.get(end, Close.TRY_AGAIN), end.value
        said = received.result()
        start = await asyncio.to_thread(_start, services, execution_id, said.after)


async def _introduced(websocket: WebSocket) -> SocketMessage:
    """The first message of a client that sent no header.

    Raises:
        Refusal: it said nothing in time, or nothing one can read.
    """
    try:
        async with asyncio.timeout(INTRODUCTION_SECONDS):
            return await _message(websocket)
    except TimeoutError:
        raise Refusal(Code.UNAUTHORIZED, 'send {"authorization": "Bearer KEY"} first') from None


async def _message(websocket: WebSocket) -> SocketMessage:
    message = await websocket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1005))
    given = message.get("text") or ""
    try:
        if len(given) <= _LONGEST_MESSAGE:
            return SocketMessage.model_validate_json(given)
    except ValidationError:
        pass
    raise Refusal(Code.BAD_REQUEST, 'send JSON: {"authorization": "Bearer KEY", "after": "ID"}')


def _start(services: Services, execution_id: str, after: str | None) -> Cursor:
    """The place to go on from.

    Raises:
        Refusal: there is no such execution (404), or no such place (422).
    """
    with services.parts.database.transaction() as work:
        if "\x00" in execution_id or not Feed(work).is_run(execution_id):
            raise Refusal(Code.NOT_FOUND, "there is no such execution")
        return place(Feed(work), after, "after") if after else ORIGIN


class _Client:
    """The other end of the socket, as `follow` has it."""

    def __init__(self, websocket: WebSocket, admission: Admission) -> None:
        self._websocket = websocket
        self._admission = admission

    async def open(self) -> None:
        """Accepting was the beginning."""

    async def send(self, events: Sequence[FeedEvent]) -> None:
        for event in events:
            await self._websocket.send_text(placed(event).model_dump_json())

    async def heartbeat(self) -> bool:
        return await self._admission.holds()
