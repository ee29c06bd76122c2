"""What comes over a connection and is no request: refused in the one form, and no fault of ours."""

import json
import logging
import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest
from structlog.testing import capture_logs

from schemas.core.error import Code
from tests.house import House
from tests.integration.api.caller import hand_out_keys, key_of
from tests.integration.api.server import serving
from tests.integration.api.test_errors import error_of
from tests.integration.fleet.conditions import wait_until

KEY = f"Authorization: Bearer {key_of('orchestrator')}\r\n".encode()
POST = b"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + KEY


@pytest.fixture
def address(house: House) -> Iterator[str]:
    """The API behind a real socket."""
    hand_out_keys(house)
    with serving(house) as served:
        yield served


def connected(address: str) -> socket.socket:
    served = urlsplit(address)
    assert served.hostname is not None
    assert served.port is not None
    return socket.create_connection((served.hostname, served.port), timeout=180)


def answered(connection: socket.socket) -> httpx2.Response:
    """What was answered until the server closed the connection."""
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status, *headers = head.decode().split("\r\n")
    return httpx2.Response(
        int(status.split()[1]),
        headers=[(name, value) for name, _, value in (line.partition(": ") for line in headers)],
        content=body,
    )


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        "GET /v1/tasks/任务 HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        b"GET /v1/states HTTP/1.1\r\nHost: x\r\nX-Request-ID: a\x00b\r\n\r\n",
        b"GET /v1/states HTTP/1.1\r\n\r\n",
        POST + b"Content-Length: many\r\n\r\n",
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
    ids=["no request", "path", "NUL", "no host", "length", "two lengths", "chunk"],
)
def test_what_is_no_request_is_refused_in_the_one_form(address: str, sent: bytes) -> None:
    with connected(address) as connection:
        connection.sendall(sent)
        answer = answered(connection)
    error_of(answer, 400, Code.BAD_REQUEST)
    assert answer.headers["connection"] == "close"


def test_garbage_after_a_request_is_refused_once_that_was_answered(address: str) -> None:
    with connected(address) as connection:
        connection.sendall(b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n")
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    assert [int(status) for status in re.findall(rb"HTTP/1.1 (\d{3})", received)] == [200, 400]
    assert json.loads(received.rpartition(b"\r\n\r\n")[2])["error"]["code"] == Code.BAD_REQUEST


@pytest.mark.parametrize(
    "sent",
    [
        POST + b'Content-Length: 500\r\n\r\n{"a"',
        POST + b'Transfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\nxyz\r\n',
        POST + b'Idempotency-Key: once\r\nContent-Length: 500\r\n\r\n{"a"',
        b"POST /v1/webhooks/contact/simulator HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{",
    ],
    ids=["hung up", "bad chunk", "hung up with a key", "hung up on a webhook"],
)
def test_a_body_that_ends_too_early_is_no_fault_of_ours(
    address: str, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    route = "/tasks" if b"/tasks" in sent else "/webhooks/contact/{provider}"
    with capture_logs() as lines, caplog.at_level(logging.ERROR, logger="uvicorn.error"):
        with connected(address) as connection:
            connection.sendall(sent)
        wait_until(lambda: any(line.get("route") == route for line in lines))
        figures = httpx2.get(f"{address}/metrics", trust_env=False).text
    assert f'api_request_duration_count{{method="POST",route="{route}",status="400"}} 1.0' in figures
    assert 'status="500"' not in figures
    assert [line for line in lines if line["log_level"] in {"error", "critical"}] == []
    assert caplog.records == []
