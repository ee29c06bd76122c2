"""A receiver, and an office over a fresh database."""

from collections.abc import Iterator

import pytest

from storage.core.database import Database
from tests.integration.webhooks.office import Office
from tests.integration.webhooks.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as listening:
        yield listening


@pytest.fixture
def office(database: Database) -> Office:
    return Office(database)
