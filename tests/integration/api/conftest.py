"""The API over a fresh database."""

from collections.abc import Iterator

import pytest

from tests.house import House
from tests.integration.api.caller import Caller, calling, hand_out_keys


@pytest.fixture
def api(house: House) -> Iterator[Caller]:
    """The API over one process's parts, with a key for every agent."""
    hand_out_keys(house)
    with calling(house) as caller:
        yield caller
