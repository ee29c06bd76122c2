"""One fleet for all scenarios; one that was ended, or left with orders under way, gives place to another."""

from collections.abc import Iterator

import pytest

from tests.acceptance.fleet import RunningFleet


class Ground:
    """Where the fleet of this session stands."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._fleet: RunningFleet | None = None

    def fleet(self) -> RunningFleet:
        """A running fleet without an open order."""
        fleet = self._fleet
        if fleet is None or not fleet.is_running or fleet.value(_OPEN):
            self.clear()
            fleet = self._fleet = RunningFleet(self._folders.mktemp("fleet"))
            fleet.start()
        return fleet

    def clear(self) -> None:
        """Take the fleet down with all that it left."""
        if self._fleet is not None:
            self._fleet.remove()
            self._fleet = None


_OPEN = "SELECT count(*) FROM tasks WHERE status <> 'closed'"


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Nothing is started before a test asks for it."""
    ground = Ground(tmp_path_factory)
    yield ground
    ground.clear()


@pytest.fixture
def fleet(ground: Ground) -> Iterator[RunningFleet]:
    """The fleet, running; what a test armed is disarmed."""
    fleet = ground.fleet()
    yield fleet
    if fleet.is_running:
        fleet.provider.disarm()
