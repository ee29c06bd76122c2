"""The API over a fresh database."""

from collections.abc import Iterator

import pytest

from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.api.general_work import WORKFLOWS
from tests.support.api.outside_agents import driven_from_outside
from tests.support.engine.general_runs import ScriptedActions
from tests.support.in_process_fleet import InProcessFleet


@pytest.fixture
def api(house: InProcessFleet) -> Iterator[ApiClient]:
    """The API over one process's parts, with a key for every agent."""
    register_keys(house)
    with api_over(house) as caller:
        yield caller


@pytest.fixture
def bench() -> ScriptedActions:
    """What the steps of the tests' own workflows come to."""
    return ScriptedActions()


@pytest.fixture
def works(database_url: str, bench: ScriptedActions) -> Iterator[ApiClient]:
    """The API over a process that also knows general work of two steps."""
    house = InProcessFleet.build(database_url, actions=bench.actions(), workflows=WORKFLOWS)
    register_keys(house)
    with api_over(house) as caller:
        yield caller
    house.close()


@pytest.fixture
def manual(house: InProcessFleet) -> Iterator[ApiClient]:
    """The API with keys whose default is manual, and a fleet at work."""
    with driven_from_outside(house) as caller:
        yield caller
