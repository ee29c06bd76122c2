"""A server that HTTP steps ask: what comes in is counted, and answered as a test wants."""

import json
import ssl
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.listening import ListeningServer


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Said:
    """What to answer; `chunks` go out as they come, however many, and `after` is waited for before the first byte."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: Iterable[bytes] | None = None
    after: threading.Event | None = None
    drop: bool = False
    raw: bytes | None = None


def said_json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Said:
    named = {"Content-Type": "application/json", **(headers or {})}
    return Said(status, named, json.dumps(value).encode())


Behaviour = Callable[[Asked], Said]


class OtherSide(ListeningServer):
    """Listens on a free port of 127.0.0.1, over TLS where it is given a context."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.behaviour: Behaviour = lambda _: said_json({"fine": True})
        self._lock = threading.Lock()
        super().__init__(self._handler(), tls)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        side = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 30

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked = Asked(self.command, self.path, headers, body)
                with side._lock:
                    side.asked.append(asked)
                    said = side.behaviour(asked)
                if said.after is not None:
                    said.after.wait(180)
                self.close_connection = True
                if said.drop:
                    return
                try:
                    self._say(said)
                except (BrokenPipeError, ConnectionResetError):
                    return

            def _say(self, said: Said) -> None:
                if said.raw is not None:
                    self.wfile.write(said.raw)
                    return
                self.send_response(said.status)
                length = {} if said.chunks is not None else {"Content-Length": str(len(said.body))}
                for name, value in {**length, **said.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                for chunk in (said.body,) if said.chunks is None else said.chunks:
                    self.wfile.write(chunk)

            # Names that the server looks for.
            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        return Handler
