"""A broker behind TLS: `rediss://…` with its certificates reaches it, and others are not spoken to."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis
from kombu.exceptions import OperationalError
from redis.exceptions import ConnectionError as NotReached

from tests.support.certificates import issue
from tests.support.factories import payload
from tests.support.in_process_fleet import settings_for
from tests.support.intake.intake_process import IntakeProcess
from tests.support.servers import Servers
from workers.app import make_app
from workers.intake.queue import QueueIntake
from workers.intake.stream import StreamIntake


@dataclass(frozen=True)
class TlsServer:
    """A port that ends TLS before a server."""

    port: int
    certificate: Path

    def address(self, url: str, certificates: Path | None = None) -> str:
        """The address of the server behind it, trusting these certificates."""
        login, _, _ = url.removeprefix("redis://").rpartition("@")
        trusted = certificates or self.certificate
        return f"rediss://{login}@127.0.0.1:{self.port}/0?ssl_cert_reqs=required&ssl_ca_certs={trusted}"


def copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while sent := source.recv(65536):
            target.sendall(sent)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def tls(servers: Servers, tmp_path: Path) -> Iterator[TlsServer]:
    certificate, key = issue(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    behind = servers.valkey_port
    listener = socket.create_server(("127.0.0.1", 0))

    threads: list[threading.Thread] = []

    behind_it: list[socket.socket] = []

    def serve(raw: socket.socket) -> None:
        with (
            raw,
            suppress(OSError),
            context.wrap_socket(raw, server_side=True) as peer,
            socket.create_connection(("127.0.0.1", behind)) as server,
        ):
            behind_it.append(server)
            back = threading.Thread(target=copy, args=(server, peer))
            back.start()
            copy(peer, server)
            back.join()

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(threading.Thread(target=serve, args=(listener.accept()[0],)))
                threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    yield TlsServer(listener.getsockname()[1], certificate)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for server in behind_it:
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)
    for thread in (accepting, *threads):
        thread.join(60)


def test_orders_come_in_by_stream_and_queue_over_tls(
    database_url: str, broker_url: str, tls: TlsServer
) -> None:
    ground = IntakeProcess.build(database_url, tls.address(broker_url))
    by_stream, by_queue = payload(), payload()
    ground.add(by_stream)
    ground.publish(by_queue)
    with ground.served_by(StreamIntake(ground.process), QueueIntake(ground.process)):
        ground.wait_for(by_stream, by_queue)
    ground.close()


def test_a_broker_whose_certificate_is_not_trusted_is_not_spoken_to(
    broker_url: str, tls: TlsServer, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other, _ = issue(tmp_path / "other")
    address = tls.address(broker_url, other)
    with (
        redis.Redis.from_url(address) as client,
        pytest.raises(NotReached, match="certificate verify failed"),
    ):
        client.ping()
    app = make_app(settings_for("postgresql://", address))
    with (
        app.connection_for_write() as connection,
        pytest.raises(OperationalError, match="certificate verify failed"),
    ):
        connection.ensure_connection(max_retries=0)
    app.close()
