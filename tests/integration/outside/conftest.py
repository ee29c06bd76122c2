"""The API over a process that knows work for outside agents."""

from collections.abc import Iterator

import pytest

from tests.support.api.client import ApiClient, api_over
from tests.support.api.outside_work import house_of_outside_work
from tests.support.in_process_fleet import InProcessFleet


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    built = house_of_outside_work(database_url)
    yield built
    built.close()


@pytest.fixture
def api(house: InProcessFleet) -> Iterator[ApiClient]:
    with api_over(house) as caller:
        yield caller
