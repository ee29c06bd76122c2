"""Real PostgreSQL and Valkey for a test session, embedded, on free ports."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import psutil
import psycopg
import redis
from sqlalchemy import make_url

from engine.catalogue import register
from fleet.embedded.postgres import EmbeddedPostgres
from fleet.embedded.process import server_process
from fleet.embedded.valkey import EmbeddedValkey
from fleet.supervisor.ports import free_port
from fleet.supervisor.supervisor import Supervisor
from storage.core.database import Database
from storage.core.migrate import migrate
from storage.migrations.roles import ROLES, prepare_roles
from tasks.registry import PRODUCTS
from tests.support.agents import QUEUES
from workers.process import read_workflows

WORKFLOWS = Path(__file__).resolve().parents[2] / "config" / "workflows"
TEST_WORKFLOWS = Path(__file__).resolve().parents[1] / "workflows"

_PASSWORD: Final = "a-password-of-the-tests"
_MEMORY: Final = Path("/dev/shm")
_MEMORY_NEEDED_BYTES: Final = 1 << 30
"""A session holds some 60 MB at a time; containers give 64 MB unless they are asked for more."""


@dataclass(slots=True)
class Servers:
    """The servers of this session and a template of a migrated database."""

    supervisor: Supervisor
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey
    admin_url: str
    administration: psycopg.Connection
    """Makes and drops databases; kept open, since a connection costs as much as a small database."""
    valkey_port: int
    memory: Path | None
    """Where the databases lie; None: beside the server's other files."""
    numbers: "count[int]"

    @classmethod
    def start(cls, folder: Path) -> "Servers":
        """Start both and prepare the template."""
        postgres = EmbeddedPostgres(folder, fast_and_unsafe=True)
        valkey = EmbeddedValkey(folder)
        postgres.prepare()
        valkey.prepare()
        postgres_port, valkey_port = free_port(), free_port()
        supervisor = Supervisor(
            [
                server_process("postgres", postgres, postgres_port, folder / "postgres.log"),
                server_process("valkey", valkey, valkey_port, folder / "valkey.log"),
            ],
            on_change=lambda _: None,
        )
        supervisor.start()
        postgres.ensure_database(postgres_port)
        admin_url = postgres.database_url(postgres_port)
        servers = cls(
            supervisor,
            postgres,
            valkey,
            admin_url,
            psycopg.connect(admin_url.replace("+psycopg", ""), autocommit=True),
            valkey_port,
            _folder_in_memory(postgres),
            count(1),
        )
        if servers.memory is not None:
            servers.administration.execute(f"CREATE TABLESPACE memory LOCATION '{servers.memory}'")
        template = servers._create("template")
        migrate(template)
        prepare_roles(template, [servers.url_as(role, template) for role in ROLES])
        with Database(template, None) as database, database.transaction() as work:
            bodies = [body for body, _ in read_workflows(WORKFLOWS)]
            register(work, bodies, products=PRODUCTS, queues=QUEUES)
        return servers

    def new_database(self) -> str:
        """The address of a fresh, migrated database."""
        return self._create(f"test_{next(self.numbers)}", template="template")

    def drop(self, url: str) -> None:
        """Drop a database that `new_database` made; connections that are still open to it end."""
        self.administration.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def url_as(self, role: str, url: str) -> str:
        """The address of a database for one of the roles."""
        return make_url(url).set(username=role, password=_PASSWORD).render_as_string(hide_password=False)

    def broker_url_as(self, user: str) -> str:
        """The address of the broker for one of its users."""
        return self.valkey.url_of(user, self.valkey_port)

    @property
    def operator_url(self) -> str:
        """The address of the broker for who may do everything."""
        return self.valkey.operator_url(self.valkey_port)

    def empty_broker(self) -> str:
        """The address of the broker as the fleet reaches it, emptied."""
        client = redis.Redis.from_url(self.operator_url)
        client.flushall()
        client.close()
        return self.broker_url_as("fleet")

    def stop(self) -> None:
        """Stop both and remove what they left."""
        self.administration.close()
        self.supervisor.stop()
        self.postgres.remove()
        self.valkey.remove()
        if self.memory is not None:
            shutil.rmtree(self.memory)

    def _create(self, name: str, template: str | None = None) -> str:
        # Copied as files, without the log of every block: half the work.
        source = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        place = " TABLESPACE memory" if self.memory is not None else ""
        self.administration.execute(f"CREATE DATABASE {name}{source}{place}")
        return f"{self.admin_url.rsplit('/', 1)[0]}/{name}"


def _folder_in_memory(postgres: EmbeddedPostgres) -> Path | None:
    """A folder in memory for the server's account, where there is room: databases come and go by the hundred."""
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _MEMORY_NEEDED_BYTES:
        return None
    for left in _MEMORY.glob("unpend-tests-*"):
        # A session that was killed could not remove its own.
        session = left.name.split("-")[2]
        if session.isdigit() and not psutil.pid_exists(int(session)):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"unpend-tests-{os.getpid()}-", dir=_MEMORY))
    if postgres.account is not None:
        os.chown(folder, postgres.account.uid, postgres.account.gid)
    return folder
