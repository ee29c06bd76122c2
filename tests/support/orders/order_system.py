"""An order system of the tests: it performs each key once, keeps what it is sent, and fails where it is told to."""

import base64
import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tools.webhooks.signature import SECRET_PREFIX, new_secret


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in; `genuine` says whether its signature is right."""

    headers: Mapping[str, str]
    body: bytes
    genuine: bool

    @property
    def message(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.body)
        return message

    @property
    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = self.message["data"]
        return data

    @property
    def action_type(self) -> str:
        return str(self.data.get("action_type"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to answer; `performs` says whether the action is carried out first, `drop` breaks the connection."""

    status: int = 200
    body: Any = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    performs: bool = True
    drop: bool = False
    after: threading.Event | None = None


class OrderSystemServer:
    """Listens on a free port; replies that are laid out are given first, then everything is performed."""

    def __init__(self) -> None:
        self.secret = new_secret()
        self.asked: list[Asked] = []
        self.performed: list[tuple[str, str]] = []
        """Key and action type, in the order in which they were carried out."""
        self.replies: dict[str, deque[Reply]] = {}
        self.closing = threading.Event()
        """What a reply waits for that is never to come while a test runs."""
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/orders"

    def lay_out(self, action_type: str, *replies: Reply) -> None:
        """Answer the next requests for this so."""
        self.replies.setdefault(action_type, deque()).extend(replies)

    def of(self, action_type: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.action_type == action_type]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _take(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            kind = asked.action_type if "key" in asked.data else "slots"
            laid_out = self.replies.get(kind)
            reply = laid_out.popleft() if laid_out else Reply()
            known = {key for key, _ in self.performed}
            if kind != "slots" and reply.performs and asked.data["key"] not in known:
                self.performed.append((asked.data["key"], kind))
            return reply

    def _genuine(self, headers: Mapping[str, str], body: bytes) -> bool:
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(self.secret.removeprefix(SECRET_PREFIX))
        signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        return headers["webhook-signature"] == f"v1,{signature}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        desk = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 5

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = desk._take(Asked(headers, body, desk._genuine(headers, body)))
                if reply.after is not None:
                    reply.after.wait(180)
                self.close_connection = reply.drop
                if reply.drop:
                    return
                answer = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
                self.send_response(reply.status)
                for name, value in {"Content-Length": str(len(answer)), **reply.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
