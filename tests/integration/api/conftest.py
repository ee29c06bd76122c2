"""The API over a fresh database."""

from collections.abc import Iterator

import pytest

from tests.house import House
from tests.integration.api.caller import Caller, calling, hand_out_keys
from tests.integration.api.general_work import WORKFLOWS
from tests.integration.api.outside_agents import driven_from_outside
from tests.integration.engine.general import Bench


@pytest.fixture
def api(house: House) -> Iterator[Caller]:
    """The API over one process's parts, with a key for every agent."""
    hand_out_keys(house)
    with calling(house) as caller:
        yield caller


@pytest.fixture
def bench() -> Bench:
    """What the steps of the tests' own workflows come to."""
    return Bench()


@pytest.fixture
def works(database_url: str, bench: Bench) -> Iterator[Caller]:
    """The API over a process that also knows general work of two steps."""
    house = House.build(database_url, actions=bench.actions(), workflows=WORKFLOWS)
    hand_out_keys(house)
    with calling(house) as caller:
        yield caller
    house.close()


@pytest.fixture
def manual(house: House) -> Iterator[Caller]:
    """The API with keys whose default is manual, and a fleet at work."""
    with driven_from_outside(house) as caller:
        yield caller
