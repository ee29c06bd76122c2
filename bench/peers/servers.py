"""The one PostgreSQL and the one broker that every peer is measured on."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from bench.peers.peer import Ground
from fleet.embedded.home import server_home
from fleet.embedded.postgres import EmbeddedPostgres
from fleet.embedded.process import server_process
from fleet.embedded.valkey import EmbeddedValkey
from fleet.supervisor.ports import free_port
from fleet.supervisor.supervisor import Supervisor


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerServers:
    """The running servers; each measurement gets a database of its own and the broker emptied."""

    folder: Path
    administration: "psycopg.Connection[tuple[Any, ...]]"
    database_url: str
    """Of the database that nobody uses; the others differ in the last part."""
    broker_url: str
    parts: Mapping[str, psutil.Process]
    numbers: "itertools.count[int]"

    @contextmanager
    def ground(self, name: str) -> Iterator[Ground]:
        """Make what one measurement needs; it is dropped at the end."""
        database = f"peer_{next(self.numbers)}"
        self.administration.execute(f"CREATE DATABASE {database} TEMPLATE template0")
        url = f"{self.database_url.rpartition('/')[0]}/{database}"
        broker = redis.Redis.from_url(self.broker_url)
        broker.flushall()
        broker.close()
        folder = self.folder / f"{database}-{name}"
        folder.mkdir()
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                yield Ground(
                    database_url=url,
                    broker_url=self.broker_url,
                    folder=folder,
                    count=lambda statement: _count(connection, statement),
                )
        finally:
            self.administration.execute(f"DROP DATABASE {database} WITH (FORCE)")


def _count(connection: "psycopg.Connection[tuple[Any, ...]]", statement: str) -> int:
    row = connection.execute(statement).fetchone()
    assert row is not None, "a statement that counts has a row"
    return int(row[0])


@contextmanager
def peer_servers() -> Iterator[PeerServers]:
    """Start both with the settings of `unpend up`, fsync included, in a temporary folder; remove them at the end.

    What failed leaves the folder, for its logs.
    """
    folder = Path(tempfile.mkdtemp(prefix="unpend-peers-"))
    postgres, valkey = EmbeddedPostgres(folder), EmbeddedValkey(folder)
    postgres.prepare()
    valkey.prepare()
    ports = {"postgres": free_port(), "valkey": free_port()}
    supervisor = Supervisor(
        [
            server_process("postgres", postgres, ports["postgres"], folder / "postgres.log"),
            server_process("valkey", valkey, ports["valkey"], folder / "valkey.log"),
        ],
        on_change=lambda _: None,
    )
    try:
        supervisor.start()
        postgres.ensure_database(ports["postgres"])
        url = postgres.database_url(ports["postgres"]).replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as administration:
            yield PeerServers(
                folder=folder,
                administration=administration,
                database_url=url,
                broker_url=valkey.operator_url(ports["valkey"]),
                parts={one.name: psutil.Process(one.pid) for one in supervisor.processes},
                numbers=itertools.count(1),
            )
    finally:
        supervisor.stop()
        server_home(folder).remove()
    shutil.rmtree(folder, ignore_errors=True)
