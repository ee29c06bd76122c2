"""The events of one execution over a WebSocket (SPEC.md §6; RFC 6455).

The key comes with the handshake and is looked at before the socket is accepted: in the `Authorization` header, or
from browsers, which cannot set one, as a subprotocol `key.KEY` beside `unpend`; never in the address, which ends up in
logs. Who is refused gets the HTTP answer of every refusal. What is sent is what server-sent events carry, with the id.
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
from api.server.errors import answer_of
from api.server.refusal import Refusal
from api.server.services import Services
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.language import language_of
from schemas.outbound.events import SocketMessage
from storage.core.unavailable import StorageUnavailable
from storage.outbound.feed import ORIGIN, Cursor, Feed, FeedEvent

router = APIRouter()

SUBPROTOCOL: Final = "unpend"
"""What a client that sends its key as a subprotocol asks for beside it, and is answered with."""
_KEY_PROTOCOL: Final = "key."
_LONGEST_MESSAGE: Final = 1024
_DENIAL: Final = "websocket.http.response"
"""What a server calls that it can answer a handshake with an HTTP response (ASGI)."""


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

    A message `{"after": id}` goes on from there; it may come at any time. One with `authorization` renews the key.
    """
    services: Services = websocket.app.state.services
    try:
        admission = await _admitted(websocket, services)
        start = await asyncio.to_thread(_start, services, execution_id, None)
        services.of(Broadcast).require_seat(admission.owner)
    except (Refusal, StorageUnavailable, CoalescerClosed) as error:
        await _deny(websocket, error)
        return
    await websocket.accept(SUBPROTOCOL if SUBPROTOCOL in websocket.scope["subprotocols"] else None)
    try:
        close, reason = await _send_all(websocket, services, admission, execution_id, start)
    except Refusal as refusal:
        close, reason = _OF_REFUSAL.get(refusal.code, Close.TRY_AGAIN), refusal.message
    except (StorageUnavailable, CoalescerClosed):
        close, reason = Close.TRY_AGAIN, "a server this needs does not answer: try again"
    except WebSocketDisconnect:
        return
    if websocket.client_state is WebSocketState.CONNECTED:
        # 123 bytes is what a closing frame has room for.
        await websocket.close(close, reason.encode()[:120].decode(errors="ignore"))


async def _admitted(websocket: WebSocket, services: Services, key: str | None = None) -> Admission:
    """Admit the key of the handshake, or the one that renews it.

    Raises:
        Refusal: nobody we know (401), not allowed (403), or too many wrong keys (429).
    """
    return await Admission.seek(
        services,
        _key_of(websocket) if key is None else bearer(key),
        address=websocket.client.host if websocket.client else "",
        agent=websocket.headers.get(AGENT_HEADER),
        scope=Scope.READ,
    )


def _key_of(websocket: WebSocket) -> str:
    """The key that came with the handshake; nothing when none did."""
    header = websocket.headers.get("Authorization")
    if header is not None:
        return bearer(header)
    offered: list[str] = websocket.scope["subprotocols"]
    named = (one.removeprefix(_KEY_PROTOCOL) for one in offered if one.startswith(_KEY_PROTOCOL))
    return next(named, "")


async def _deny(websocket: WebSocket, error: Exception) -> None:
    """Answer the handshake as every refusal is answered; a server that cannot refuses with 403."""
    if _DENIAL in websocket.scope.get("extensions", {}):
        await websocket.send_denial_response(answer_of(websocket, error))
    else:
        await websocket.close()


async def _send_all(
    websocket: WebSocket, services: Services, admission: Admission, execution_id: str, start: Cursor
) -> tuple[Close, str]:
    while True:
        client = _Client(websocket, admission)
        received = asyncio.create_task(_message(websocket))
        try:
            broadcast = services.of(Broadcast)
            seat = broadcast.listen(execution_id, start, admission.owner)
            end = await follow(client, seat, broadcast.more, received)
        finally:
            received.cancel()
            await asyncio.gather(received, return_exceptions=True)
        if end is not End.DISCONNECTED:
            return _OF_END.get(end, Close.TRY_AGAIN), end.value
        said = received.result()
        if said.authorization is not None:
            admission = await _admitted(websocket, services, said.authorization)
        start = await asyncio.to_thread(_start, services, execution_id, said.after)


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
        self._language = language_of(websocket.headers.get("accept-language"))

    async def open(self) -> None:
        """Accepting was the beginning."""

    async def send(self, events: Sequence[FeedEvent], /) -> None:
        for event in events:
            await self._websocket.send_text(placed(event, self._language).model_dump_json())

    async def heartbeat(self) -> bool:
        return await self._admission.holds()
