"""One fleet for all scenarios; one that ends it finds it started again by the next."""

from collections.abc import Iterator

import pytest

from tests.acceptance.fleet import RunningFleet


@pytest.fixture(scope="session")
def only_fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningFleet]:
    """A fleet that is not running yet."""
    made = RunningFleet(tmp_path_factory.mktemp("fleet"))
    try:
        yield made
    finally:
        made.remove()


@pytest.fixture
def fleet(only_fleet: RunningFleet) -> Iterator[RunningFleet]:
    """The fleet, running; what a test armed is disarmed."""
    if not only_fleet.is_running:
        only_fleet.start()
    yield only_fleet
    if only_fleet.is_running:
        only_fleet.provider.disarm()
