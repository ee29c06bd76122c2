"""Connections that end within a request."""

import logging
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest
from structlog.testing import capture_logs

from tests.support.api.client import key_of, register_keys
from tests.support.api.live_server import serving
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until

KEY = f"Authorization: Bearer {key_of('orchestrator')}\r\n".encode()
POST = b"POST /v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + KEY


@pytest.fixture
def address(house: InProcessFleet) -> Iterator[str]:
    """The API behind a real socket."""
    register_keys(house)
    with serving(house) as served:
        yield served


def connected(address: str) -> socket.socket:
    served = urlsplit(address)
    assert served.hostname is not None
    assert served.port is not None
    return socket.create_connection((served.hostname, served.port), timeout=180)


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
