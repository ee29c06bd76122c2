"""A provider's HTTP server in a thread, and what it can be told to do wrong."""

import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a provider answers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one request.

    Attributes:
        instead: Answered before anything is done.
        drops: The work is done, then the connection ends without an answer.
        slow_seconds: The work is done, then the answer waits.
    """

    instead: Answered | None = None
    drops: bool = False
    slow_seconds: float = 0.0


DROP = Fault(drops=True)


class Provider(Protocol):
    """What stands behind a server."""

    faults: deque[Fault]

    def answer(self, asked: Asked) -> Answered:
        """Do the work."""
        ...


@contextmanager
def serving(provider: Provider) -> Iterator[str]:
    """The provider's address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(self.command, self.path, headers, self.rfile.read(length))
            fault = provider.faults.popleft() if provider.faults else Fault()
            answered = fault.instead or provider.answer(asked)
            if fault.drops:
                self.close_connection = True
                return
            time.sleep(fault.slow_seconds)
            self.send_response_only(answered.status)
            usual = {"Date": self.date_time_string(), "Content-Type": "application/json"}
            for name, value in {**usual, **answered.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answered.body)))
            self.end_headers()
            self.wfile.write(answered.body)

        do_GET = do_POST = _serve  # noqa: N815 - the base class finds them by these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that went away while its answer was slow is what these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
