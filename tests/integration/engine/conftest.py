"""What the tests of deliveries and of control share: test actions, and a run of two steps under short limits."""

from collections.abc import Iterator
from typing import Final

import pytest

from engine.limits import Limits
from tests.support.engine.general_runs import ScriptedActions, definition
from tests.support.engine.model_runs import ModelHouse
from tests.support.in_process_fleet import InProcessFleet

STEPS: Final = [
    {"id": "first", "agent": "contact", "action": "check", "next": "second"},
    {"id": "second", "agent": "audit", "action": "check"},
]
SHORT: Final = Limits(lease_seconds=0.6, republish_seconds=0.2, most_crashes=2)


@pytest.fixture
def bench() -> ScriptedActions:
    return ScriptedActions()


@pytest.fixture
def house(database_url: str, bench: ScriptedActions) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(
        database_url,
        actions=bench.actions(),
        workflows=[definition("parallel_branches", steps=STEPS)],
        limits=SHORT,
    )
    yield built
    built.close()


@pytest.fixture
def model(database_url: str) -> Iterator[ModelHouse]:
    """A fleet beside which the reference interpreter runs."""
    built = ModelHouse.build(database_url)
    yield built
    built.fleet.close()
