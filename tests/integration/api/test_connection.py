"""Connections that end within a request."""

import logging
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx2
import pytest
from structlog.testing import capture_logs

from api.server.limits import connection
from api.server.limits.failed_logins import TRIES
from runtime.api_key import new_key
from runtime.settings import networks_of
from tests.support.api.client import key_of, register_keys
from tests.support.api.live_server import serving
from tests.support.factories import answered, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until

KEY = f"Authorization: Bearer {key_of('orchestrator')}\r\n".encode()
LIVE = b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n"
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


def ends(peer: socket.socket) -> bool:
    """Whether the other side has ended the connection; waits until it does."""
    try:
        while peer.recv(65_536):
            pass
    except ConnectionError:
        pass
    return True


@pytest.mark.parametrize(
    ("sent", "limit"),
    [
        (b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\nX-Slow: ", "HEADERS_SECONDS"),
        (b"", "HEADERS_SECONDS"),
        (POST + b"Content-Length: 500\r\n\r\n{", "BODY_SECONDS"),
        (LIVE + POST + b"Content-Length: 500\r\n\r\n{", "BODY_SECONDS"),
    ],
    ids=["half a header", "nothing", "half a body", "half a body sent ahead"],
)
def test_a_request_that_never_ends_is_ended(
    house: InProcessFleet, monkeypatch: pytest.MonkeyPatch, sent: bytes, limit: str
) -> None:
    monkeypatch.setattr(connection, limit, 0.2)
    register_keys(house)
    with serving(house) as address, connected(address) as peer:
        peer.sendall(sent)
        assert ends(peer)


def test_a_connection_that_is_kept_serves_one_request_after_another(
    house: InProcessFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "MOST_OF_ADDRESS", 1)
    with serving(house) as address, connected(address) as peer:
        for _ in range(3):
            peer.sendall(b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = b""
            while not answer.endswith(b'{"status":"ok"}'):
                answer += peer.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 200")
        with connected(address) as second:
            assert ends(second)


def test_a_client_behind_a_trusted_proxy_is_the_one_the_proxy_names(house: InProcessFleet) -> None:
    register_keys(house)
    wrong = {"Authorization": f"Bearer {new_key()}"}
    for proxies, status in (("127.0.0.0/8", 200), ("", 429)):
        with serving(house, trusted_proxies=networks_of(proxies)) as address, httpx2.Client() as client:
            url = f"{address}/states"
            stranger = {**wrong, "X-Forwarded-For": "198.51.100.7"}
            assert [client.get(url, headers=stranger).status_code for _ in range(TRIES)] == [401] * TRIES
            good = {"Authorization": f"Bearer {key_of('operator')}", "X-Forwarded-For": "203.0.113.9"}
            assert client.get(url, headers=good).status_code == status


def test_no_frame_is_unpacked_and_none_is_read_before_a_key_was_shown(address: str) -> None:
    handshake = (
        b"GET /v1/ws/executions/exec_1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    with connected(address) as peer:
        peer.sendall(handshake + b"\xc1\xfe\xff\xff" + b"\x00" * 60_000)
        answer = peer.recv(65_536)
    assert b"401" in answer.split(b"\r\n")[0]
    assert b"permessage-deflate" not in answer.lower()


def test_a_socket_that_is_accepted_uses_no_compression(house: InProcessFleet, address: str) -> None:
    house.accept(given := submission(answered()))
    run_id = house.order(given.body.task_id).run_id
    handshake = (
        f"GET /v1/ws/executions/{run_id} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Extensions: permessage-deflate\r\nAuthorization: Bearer {key_of('operator')}\r\n\r\n"
    )
    with connected(address) as peer:
        peer.sendall(handshake.encode())
        answer = peer.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 101")
    assert b"permessage-deflate" not in answer.lower()
