"""General runs that ask people, over a real database."""

from collections.abc import Iterator

import pytest

from tests.support.engine.general_runs import ScriptedActions
from tests.support.in_process_fleet import InProcessFleet
from tests.support.questions import CAUGHT, ONE_QUESTION, TWO_QUESTIONS


@pytest.fixture
def bench() -> ScriptedActions:
    """What the steps that are no questions come to."""
    return ScriptedActions()


@pytest.fixture
def house(database_url: str, bench: ScriptedActions) -> Iterator[InProcessFleet]:
    """A process that knows the workflows of `tests.support.questions`."""
    built = InProcessFleet.build(
        database_url, actions=bench.actions(), workflows=[ONE_QUESTION, CAUGHT, TWO_QUESTIONS]
    )
    yield built
    built.close()
