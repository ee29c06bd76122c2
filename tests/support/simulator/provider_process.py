"""The simulator as a process of its own, and a receiver of its callbacks."""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from tests.support.waiting import wait_until

TOKEN = "provider-token"
SECRET = "callback-secret"


@dataclass
class ReceivedCallback:
    timestamp: str
    signature: str
    body: bytes

    @property
    def report(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass
class CallbackReceiver:
    """Answers callbacks with the statuses given, in their order, and then with 204."""

    statuses: list[int] = field(default_factory=list)
    received: list[ReceivedCallback] = field(default_factory=list)

    def __enter__(self) -> Self:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.received.append(
                    ReceivedCallback(
                        self.headers["X-Unpend-Timestamp"], self.headers["X-Unpend-Signature"], body
                    )
                )
                self.send_response(receiver.statuses.pop(0) if receiver.statuses else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/callbacks"

    def of(self, key: str) -> list[ReceivedCallback]:
        return [callback for callback in list(self.received) if callback.report["key"] == key]


class ProviderProcess:
    """`python -m fleet.simulator` on a free port."""

    def __init__(self, state: Path, log: Path, *, seed: str = "test") -> None:
        self._state = state
        self._log = log
        self._seed = seed
        self.base_url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(signal.SIGTERM)

    def start(self) -> None:
        environment = os.environ | {"UNPEND_CHANNEL_TOKEN": TOKEN, "UNPEND_CALLBACK_SECRET": SECRET}
        arguments = ["--port", "0", "--state", str(self._state), "--seed", self._seed]
        read_end, write_end = os.pipe()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fleet.simulator", *arguments],
                env=environment,
                stdout=write_end,
                stderr=log,
            )
        os.close(write_end)
        self._output = os.fdopen(read_end, "rb")
        self.base_url = f"http://127.0.0.1:{self._port()}"
        wait_until(self._healthy)
        self.client = httpx2.Client(
            base_url=self.base_url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=180
        )

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def output(self) -> str:
        """Everything logged; ends the process."""
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(180)
        return self._output.read().decode() + self._log.read_text()

    def ledger(self, key: str) -> dict[str, Any]:
        entry: dict[str, Any] = self.client.get(f"/v1/ledger/{key}").raise_for_status().json()
        return entry

    def _port(self) -> int:
        while line := self._output.readline():
            if b"simulator listening" in line:
                return int(json.loads(line)["port"])
        raise AssertionError(f"the simulator ended: {self._log.read_text()}")

    def _healthy(self) -> bool:
        try:
            return httpx2.get(f"{self.base_url}/health", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def _end(self, ending: signal.Signals) -> None:
        self.client.close()
        if self._process.poll() is None:
            self._process.send_signal(ending)
            self._process.wait(180)
        self._output.close()
