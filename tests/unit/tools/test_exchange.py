"""HTTP with a provider: connections are kept, one timeout holds for the whole, and TLS is verified."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import h11
import pytest

from tests.support.certificates import issue
from tools.channels.contract import NotSent, Unknown
from tools.channels.exchange import Exchange, HttpAnswer
from tools.network.connection import Address, OutgoingConnection

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SECONDS = 180.0


class Provider:
    """A provider whose connections a test serves; `opened` counts them."""

    def __init__(self, serve: Callable[[socket.socket], None], tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        self.port = self._listener.getsockname()[1]
        self.opened = 0

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(SECONDS)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.opened += 1
                self._threads.append(threading.Thread(target=self._one, args=(connection,), daemon=True))
                self._threads[-1].start()

    def _one(self, plain: socket.socket) -> None:
        with suppress(OSError), plain:
            if self._tls is None:
                self._serve(plain)
            else:
                with self._tls.wrap_socket(plain, server_side=True) as secured:
                    self._serve(secured)


@contextmanager
def exchange_with(
    serve: Callable[[socket.socket], None], *, max_connections: int = 4
) -> Iterator[tuple[Exchange, Provider]]:
    provider = Provider(serve)
    exchange = Exchange(
        f"http://127.0.0.1:{provider.port}",
        setting="channel_url",
        headers={},
        max_connections=max_connections,
    )
    yield exchange, provider
    exchange.close()
    provider.close()


def received(connection: socket.socket) -> bytes:
    """One request without a body; empty when the connection ended."""
    head = b""
    while b"\r\n\r\n" not in head:
        part = connection.recv(65_536)
        if not part:
            return b""
        head += part
    return head


def answering(*answers: bytes) -> Callable[[socket.socket], None]:
    """Answers requests of one connection with these in turn, then goes on with the last."""

    def serve(connection: socket.socket) -> None:
        left = list(answers)
        while received(connection):
            connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return serve


def asked(exchange: Exchange, seconds: float = SECONDS) -> HttpAnswer | NotSent | Unknown:
    return exchange.ask("GET", "/v1/contacts/k", timeout_seconds=seconds)


def bodies(answers: Sequence[HttpAnswer | NotSent | Unknown]) -> list[bytes]:
    return [answer.body for answer in answers if isinstance(answer, HttpAnswer)]


def test_requests_one_after_the_other_share_a_connection() -> None:
    with exchange_with(answering(OK)) as (exchange, provider):
        assert bodies([asked(exchange) for _ in range(5)]) == [b"{}"] * 5
        assert provider.opened == 1


def test_a_connection_that_the_provider_closed_meanwhile_is_not_used_again() -> None:
    closed = threading.Event()

    def serve(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(OK)
        connection.close()
        closed.set()

    with exchange_with(serve) as (exchange, provider):
        first = asked(exchange)
        assert closed.wait(SECONDS)
        assert bodies([first, asked(exchange)]) == [b"{}"] * 2
        assert provider.opened == 2


def test_a_connection_is_not_kept_where_the_provider_says_that_it_closes() -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with exchange_with(answering(closing)) as (exchange, provider):
        assert bodies([asked(exchange), asked(exchange)]) == [b"{}"] * 2
        assert provider.opened == 2


def test_hints_before_the_answer_and_a_body_in_chunks_are_read() -> None:
    chunked = (
        b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    )
    with exchange_with(answering(chunked)) as (exchange, provider):
        assert bodies([asked(exchange), asked(exchange)]) == [b"{}"] * 2
        assert provider.opened == 1


def test_a_provider_that_sends_byte_by_byte_does_not_get_more_than_the_timeout() -> None:
    given_up = threading.Event()

    def serve(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        with suppress(OSError):
            while not given_up.wait(0.02):
                connection.sendall(b"x")

    with exchange_with(serve) as (exchange, _):
        answer = asked(exchange, 0.5)
        given_up.set()
        assert isinstance(answer, Unknown)
        assert answer.reason.startswith("no answer within 0.5 seconds")


def test_an_answer_without_end_is_unknown() -> None:
    def serve(connection: socket.socket) -> None:
        received(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with exchange_with(serve) as (exchange, _):
        assert isinstance(asked(exchange), Unknown)


def test_what_answers_before_it_has_read_the_body_is_heard() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    with exchange_with(serve) as (exchange, _):
        answer = exchange.ask("POST", "/v1/calls", timeout_seconds=SECONDS, body=b"x" * 4_000_000)
        assert isinstance(answer, HttpAnswer)
        assert answer.status == 413


def test_more_requests_than_may_be_under_way_are_not_sent() -> None:
    let_go = threading.Event()
    arrived = threading.Event()

    def serve(connection: socket.socket) -> None:
        received(connection)
        arrived.set()
        let_go.wait(SECONDS)
        connection.sendall(OK)

    with exchange_with(serve, max_connections=1) as (exchange, provider):
        first = threading.Thread(target=asked, args=(exchange,))
        first.start()
        assert arrived.wait(SECONDS)
        assert isinstance(asked(exchange, 0.2), NotSent)
        let_go.set()
        first.join(SECONDS)
        assert provider.opened == 1


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[Provider, Path]]:
    """A provider with TLS and a certificate of its own."""
    certificate, key = issue(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    provider = Provider(answering(OK), context)
    yield provider, certificate
    provider.close()


def test_a_provider_whose_certificate_nobody_vouches_for_is_sent_nothing(
    secured: tuple[Provider, Path],
) -> None:
    exchange = Exchange(
        f"https://127.0.0.1:{secured[0].port}", setting="channel_url", headers={}, max_connections=1
    )
    answer = asked(exchange)
    exchange.close()
    assert isinstance(answer, NotSent)
    assert "SSLCertVerificationError" in answer.reason


def test_a_provider_whose_certificate_is_trusted_is_answered_over_tls(secured: tuple[Provider, Path]) -> None:
    provider, certificate = secured
    trusting = ssl.create_default_context(cafile=str(certificate))
    connection = OutgoingConnection(Address("127.0.0.1", provider.port, trusting), seconds=SECONDS)
    request = h11.Request(method="GET", target="/", headers=[("Host", "127.0.0.1")])
    for _ in range(2):
        answer = connection.exchange(
            request, b"", write_seconds=SECONDS, deadline=time.monotonic() + SECONDS, largest=10
        )
        assert (answer.status, answer.body) == (200, b"{}")
        assert connection.may_be_used_again(SECONDS)
    connection.close()
