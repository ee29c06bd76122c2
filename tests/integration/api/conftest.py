"""The API over a fresh database."""

from collections.abc import Iterator

import pytest

from tests.house import House
from tests.integration.api.caller import Caller, calling


@pytest.fixture
def api(house: House) -> Iterator[Caller]:
    """The API over one process's parts, with a key for every agent."""
    with calling(house) as caller:
        yield caller
