"""Fixtures that start something real; everything else is a factory."""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

from runtime.cipher import Cipher
from storage.core.database import Database
from tests.house import CIPHER_KEY, House
from tests.servers import Servers

# How fast this machine is at the moment is no property of the code.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


@pytest.fixture(autouse=True)
def log_lines_go_where_they_went() -> Iterator[None]:
    """What a command run within a test makes of logging ends with that test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """PostgreSQL and Valkey of this session."""
    started = Servers.start(tmp_path_factory.mktemp("servers"))
    yield started
    started.stop()


@pytest.fixture
def database_url(servers: Servers) -> str:
    """A fresh, migrated database."""
    return servers.new_database()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh, migrated database, opened."""
    with Database(database_url, Cipher(CIPHER_KEY)) as opened:
        yield opened


@pytest.fixture
def broker_url(servers: Servers) -> str:
    """The broker, emptied."""
    return servers.empty_broker()


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    """One process's parts over a fresh database: instant channel, always-open policy."""
    built = House.build(database_url)
    yield built
    built.close()
