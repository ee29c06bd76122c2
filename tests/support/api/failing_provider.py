"""A provider that fails as a test tells it: it refuses contacts, or takes them and says nothing."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FailingProvider:
    """Takes every contact it gets unless told to refuse; answers questions about those it took."""

    refuses: bool = False
    """Answers 503, before anything is done."""
    silent: bool = False
    """Takes a contact and gives no answer until the test ends."""
    keys: list[str] = field(default_factory=list)
    """The keys of all that it was sent, repeated ones too."""
    over: threading.Event = field(default_factory=threading.Event)
    address: str = ""


@contextmanager
def failing_provider(*, refuses: bool = False, silent: bool = False) -> Iterator[FailingProvider]:
    """The provider, listening."""
    provider = FailingProvider(refuses=refuses, silent=silent)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(provider))
    server.daemon_threads = True
    provider.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield provider
    provider.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


def _handler(provider: FailingProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            provider.keys.append(asked["key"])
            if provider.silent:
                provider.over.wait(180)
                self.close_connection = True
                return
            self._answer(503 if provider.refuses else 202, asked["key"])

        def do_GET(self) -> None:
            self._answer(200, self.path.rpartition("/")[2])

        def _answer(self, status: int, key: str) -> None:
            body = json.dumps({"provider_id": "call-1", "key": key}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    return Handler
