"""The proxy before PostgreSQL: it forwards, and cuts a connection at a commit, before it or before its answer."""

import gc
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from bench.chaos.faults.proxy import DatabaseProxy
from fleet.supervisor.ports import free_port
from storage.core.database import Database
from storage.core.unavailable import StorageUnavailable
from tests.support.probe import Probe
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def proxy(database_url: str) -> Iterator[DatabaseProxy]:
    server = urlsplit(database_url).port
    assert server is not None
    started = DatabaseProxy(port=free_port(), server=server)
    started.start()
    yield started
    started.close()


@pytest.fixture
def through(database_url: str, proxy: DatabaseProxy) -> Iterator[Database]:
    """The database as one behind the proxy reaches it."""
    with Database(database_url.replace(f":{proxy.server}/", f":{proxy.port}/"), None) as opened:
        yield opened


INSERT = "INSERT INTO pulses (name, at, steady_since) VALUES ('through', now(), now())"
COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"
COUNT = "SELECT count(*) FROM pulses WHERE name = 'through'"


def test_what_is_committed_through_it_is_there(through: Database, database: Database) -> None:
    Probe(through).write(INSERT)
    assert Probe(database).value(COUNT) == 1


@pytest.mark.parametrize("committed", [True, False], ids=["its answer is lost", "it never arrives"])
def test_a_commit_at_which_the_connection_is_cut_is_done_or_not(
    through: Database, database: Database, proxy: DatabaseProxy, committed: bool
) -> None:
    proxy.cut_next(1, committed=committed)
    with pytest.raises(StorageUnavailable):
        Probe(through).write(INSERT)
    assert Probe(database).value(COUNT) == int(committed)
    assert proxy.cuts == 1
    assert Probe(through).value("SELECT 1") == 1


def test_a_connection_that_is_cut_lives_until_its_server_has_answered() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE_SECONDS)
        proxy = DatabaseProxy(port=free_port(), server=server.getsockname()[1])
        proxy.start()
        proxy.cut_next(1, committed=True)
        with (
            socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_SECONDS) as client,
            server.accept()[0] as beyond,
        ):
            client.sendall(COMMIT)
            assert beyond.recv(len(COMMIT)) == COMMIT
            assert client.recv(1) == b""
            gc.collect()
        proxy.close()


def test_what_is_disarmed_is_not_cut(through: Database, proxy: DatabaseProxy) -> None:
    proxy.cut_next(3, committed=True)
    proxy.disarm()
    Probe(through).write(INSERT)
    assert proxy.cuts == 0
