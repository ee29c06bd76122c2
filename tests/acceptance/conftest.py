"""One fleet for all scenarios; one that was ended, or left with orders under way, gives place to another.

`tests/conftest.py` gives all of them to one worker.
"""

from collections.abc import Generator, Iterator

import pytest

from storage.core.unavailable import StorageUnavailable
from tests.support.fleet.running_fleet import RunningFleet


class CurrentFleet:
    """Where the fleet of this session stands."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._fleet: RunningFleet | None = None

    def fleet(self) -> RunningFleet:
        """A running fleet without an open order."""
        if self._fleet is None or not self._is_sound(self._fleet):
            self.clear()
            self._fleet = RunningFleet(self._folders.mktemp("fleet"))
            self._fleet.start()
        return self._fleet

    def clear(self) -> None:
        """Take the fleet down with all that it left; one that cannot be taken down fails one test, not the next."""
        fleet, self._fleet = self._fleet, None
        if fleet is not None:
            fleet.remove()

    @staticmethod
    def _is_sound(fleet: RunningFleet) -> bool:
        try:
            return fleet.is_running and not fleet.value(_OPEN)
        except StorageUnavailable:
            return False


_OPEN = "SELECT count(*) FROM tasks WHERE status <> 'closed'"


@pytest.fixture(scope="package")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CurrentFleet]:
    """Nothing is started before a test asks for it, and nothing runs on beside the tests of other folders."""
    ground = CurrentFleet(tmp_path_factory)
    yield ground
    ground.clear()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let the fixture know whether its test failed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


_FAILED = pytest.StashKey[bool]()


@pytest.fixture
def fleet(ground: CurrentFleet, request: pytest.FixtureRequest) -> Iterator[RunningFleet]:
    """The fleet, running; what a test armed is disarmed. The fleet of a test that failed is not used again."""
    fleet = ground.fleet()
    yield fleet
    if request.node.stash.get(_FAILED, default=False):
        ground.clear()
    elif fleet.is_running:
        fleet.provider.disarm()
