"""A receiver of webhooks that can fail in every way a receiver fails."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.listening import ListeningServer


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.body)
        return message

    @property
    def type(self) -> str:
        return str(self.message["type"])

    @property
    def task_id(self) -> str:
        return str(self.message["data"]["task_id"])

    @property
    def event_id(self) -> int:
        return int(self.message["data"]["event_id"])


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer; `drop` breaks the connection instead, `after` waits until it is set."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    after: threading.Event | None = None


Behaviour = Callable[[Received], Reply]


def obliging(_: Received) -> Reply:
    return Reply()


class WebhookReceiver(ListeningServer):
    """Listens on a free port; what comes in is kept in the order it came."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.behaviour: Behaviour = obliging
        self._lock = threading.Lock()
        super().__init__(self._handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def of_task(self, task_id: str) -> list[Received]:
        return [received for received in self.received if received.task_id == task_id]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                received = Received(self.path, headers, body)
                with receiver._lock:
                    receiver.received.append(received)
                    reply = receiver.behaviour(received)
                if reply.after is not None:
                    reply.after.wait(180)
                self.close_connection = reply.drop
                if not reply.drop:
                    self.send_response(reply.status)
                    for name, value in {"Content-Length": "0", **reply.headers}.items():
                        self.send_header(name, value)
                    self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
