"""One fleet for all scenarios that leave it running; a scenario that ends its fleet has one of its own."""

from collections.abc import Iterator

import pytest

from tests.acceptance.fleet import RunningFleet


@pytest.fixture(scope="session")
def shared_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFleet]:
    """A running fleet."""
    running = RunningFleet(tmp_path_factory.mktemp("fleet"))
    try:
        yield running.start()
    finally:
        running.remove()


@pytest.fixture
def fleet(shared_fleet: RunningFleet) -> Iterator[RunningFleet]:
    """The shared fleet; what a test armed is disarmed."""
    yield shared_fleet
    shared_fleet.provider.disarm()


@pytest.fixture
def own_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFleet]:
    """A running fleet that the test may end."""
    running = RunningFleet(tmp_path_factory.mktemp("fleet"))
    try:
        yield running.start()
    finally:
        running.remove()
