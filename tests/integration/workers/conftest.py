"""What the tests of a worker in mid-send share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fleet.sending import Sending


@pytest.fixture
def sending(database_url: str, tmp_path: Path) -> Iterator[Sending]:
    with Sending.opened(database_url, tmp_path) as opened:
        yield opened
