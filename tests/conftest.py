"""Fixtures that start something real; everything else is a factory."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings
from structlog.dev import plain_traceback
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from runtime.cipher import Cipher
from storage.core.database import Database
from tests.support.in_process_fleet import CIPHER_KEY, InProcessFleet
from tests.support.rabbitmq import ABSENT, RabbitServer, is_installed
from tests.support.servers import Servers

# How fast this machine is at the moment is no property of the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def log_plainly() -> None:
    """Write log lines as text: the default draws tracebacks with the values of every frame, seconds for each."""
    structlog.reset_defaults()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=plain_traceback),
        ]
    )


log_plainly()


class FilesTogether(LoadFileScheduling):  # type: ignore[misc]
    """Gives a file to one worker, and all scenarios of whole fleets too: one fleet at a time."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        # What is left of a fleet is looked for among a worker's children: no other servers may be among them.
        return "fleets" if file.startswith(("tests/acceptance/", "tests/separate_fleets/")) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesTogether | None:
    """Distribute files, where files are distributed."""
    return FilesTogether(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def log_lines_go_where_they_went() -> Iterator[None]:
    """What a command run within a test makes of logging ends with that test."""
    yield
    log_plainly()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """PostgreSQL and Valkey of this session."""
    started = Servers.start(tmp_path_factory.mktemp("servers"))
    yield started
    started.stop()


@pytest.fixture
def database_url(servers: Servers) -> Iterator[str]:
    """A fresh, migrated database, which is dropped after the test."""
    url = servers.new_database()
    yield url
    servers.drop(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database, opened."""
    with Database(database_url, Cipher(CIPHER_KEY)) as opened:
        yield opened


@pytest.fixture
def broker_url(servers: Servers) -> str:
    """The broker as the fleet reaches it, emptied."""
    return servers.empty_broker()


@pytest.fixture(scope="session")
def rabbit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    """RabbitMQ of this session; skips where it is not installed."""
    if not is_installed():
        pytest.skip(ABSENT)
    server = RabbitServer.begin(tmp_path_factory.mktemp("rabbitmq"))
    yield server
    server.end()


@pytest.fixture
def operator_url(servers: Servers, broker_url: str) -> str:
    """The same broker for who may do everything."""
    return servers.operator_url


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    """One process's parts over a fresh database: instant channel, always-open policy."""
    built = InProcessFleet.build(database_url)
    yield built
    built.close()
