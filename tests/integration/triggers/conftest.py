"""A process with test actions, whose workflows begin by themselves."""

from collections.abc import Iterator

import pytest

from tests.support.engine.general_runs import ScriptedActions
from tests.support.in_process_fleet import InProcessFleet


@pytest.fixture
def bench() -> ScriptedActions:
    return ScriptedActions()


@pytest.fixture
def house(database_url: str, bench: ScriptedActions) -> Iterator[InProcessFleet]:
    built = InProcessFleet.build(database_url, actions=bench.actions())
    yield built
    built.close()
