"""A process of the fleet over a fresh database and an emptied broker, and the queue on either kind of server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.intake.intake_process import IntakeProcess
from tests.support.rabbitmq import RabbitServer


@pytest.fixture
def ground(database_url: str, broker_url: str) -> Iterator[IntakeProcess]:
    """Everything on PostgreSQL and Valkey; nothing takes messages in yet."""
    ground = IntakeProcess.build(database_url, broker_url)
    yield ground
    ground.close()


@pytest.fixture
def rabbit(rabbit_server: RabbitServer, database_url: str, broker_url: str) -> Iterator[IntakeProcess]:
    """As `ground`, with the queue on RabbitMQ, emptied."""
    ground = IntakeProcess.build(database_url, broker_url, rabbit_server.url)
    ground.forget_queue()
    yield ground
    ground.close()


@pytest.fixture(params=["redis", "rabbitmq"])
def queued(request: pytest.FixtureRequest) -> IntakeProcess:
    """The queue on kombu's Redis transport, and on RabbitMQ."""
    found: IntakeProcess = request.getfixturevalue("ground" if request.param == "redis" else "rabbit")
    return found


@pytest.fixture
def project() -> Path:
    """The folder of the project."""
    return Path(__file__).resolve().parents[3]
