"""A WebSocket to the API in this process, spoken as ASGI has it: whatever server stands before it."""

import asyncio
import json
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from anyio.from_thread import BlockingPortal
from fastapi import FastAPI

PATIENCE = 180
Message = MutableMapping[str, Any]


class Closed(Exception):
    """The server closed; with which code."""

    def __init__(self, code: int) -> None:
        super().__init__(str(code))
        self.code = code


@dataclass(slots=True)
class Conversation:
    """The client's end."""

    portal: BlockingPortal
    app: FastAPI
    said: "asyncio.Queue[Message]"
    heard: "asyncio.Queue[Message]"
    running: "Future[None] | None" = None
    subprotocol: str | None = None

    def say(self, text: str) -> None:
        """Send a message."""
        self.portal.call(self.said.put, {"type": "websocket.receive", "text": text})

    def hear(self) -> dict[str, Any]:
        """The next event.

        Raises:
            Closed: the server closed instead.
        """

        async def next_message() -> Message:
            return await asyncio.wait_for(self.heard.get(), PATIENCE)

        message = self.portal.call(next_message)
        if message["type"] == "websocket.close":
            raise Closed(message["code"])
        assert message["type"] == "websocket.send"
        event: dict[str, Any] = json.loads(message["text"])
        return event

    def rest(self) -> tuple[list[dict[str, Any]], int]:
        """Every event until the server closes, and the code it closes with."""
        events = []
        while True:
            try:
                events.append(self.hear())
            except Closed as closed:
                return events, closed.code

    def leave(self) -> None:
        """Go away, and see the server's end return."""
        self.portal.call(self.said.put, {"type": "websocket.disconnect", "code": 1001})
        assert self.running is not None
        self.running.result(PATIENCE)


class Denied(Exception):
    """The server did not accept the socket; with which HTTP status, and what it said."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__(str(status))
        self.status = status
        self.body = body


@contextmanager
def speaking(
    portal: BlockingPortal,
    app: FastAPI,
    path: str,
    headers: Mapping[str, str],
    subprotocols: Sequence[str] = (),
) -> Iterator[Conversation]:
    """A socket that was accepted.

    Raises:
        Denied: it was not.
    """
    conversation = Conversation(portal, app, *portal.call(_queues))
    scope: Message = {
        "type": "websocket",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("api", 80),
        "subprotocols": list(subprotocols),
        "extensions": {"websocket.http.response": {}},
    }
    portal.call(conversation.said.put, {"type": "websocket.connect"})

    async def serve() -> None:
        await app(scope, conversation.said.get, conversation.heard.put)

    conversation.running = portal.start_task_soon(serve)
    accepted = portal.call(conversation.heard.get)
    if accepted["type"] == "websocket.http.response.start":
        body = portal.call(conversation.heard.get)
        conversation.running.result(PATIENCE)
        raise Denied(accepted["status"], body["body"])
    assert accepted["type"] == "websocket.accept"
    conversation.subprotocol = accepted["subprotocol"]
    yield conversation
    conversation.leave()


async def _queues() -> "tuple[asyncio.Queue[Message], asyncio.Queue[Message]]":
    return asyncio.Queue(), asyncio.Queue()
