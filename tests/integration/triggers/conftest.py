"""A process with test actions, whose workflows begin by themselves."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.support.api.client import ApiClient, api_over, register_keys
from tests.support.engine.general_runs import ScriptedActions
from tests.support.in_process_fleet import InProcessFleet
from tools.webhooks.signature import new_secret

SECRET: Final = new_secret()


@pytest.fixture
def bench() -> ScriptedActions:
    return ScriptedActions()


@pytest.fixture
def house(database_url: str, bench: ScriptedActions) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(
        database_url, actions=bench.actions(), webhook_secrets={"UNPEND_WEBHOOK_SECRET_SHOP": SECRET}
    )
    yield built
    built.close()


@pytest.fixture
def api(house: InProcessFleet) -> Iterator[ApiClient]:
    """The API over this process, with a key for every agent."""
    register_keys(house)
    with api_over(house) as caller:
        yield caller
