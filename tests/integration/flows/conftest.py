"""A server that is asked."""

from collections.abc import Iterator

import pytest

from tests.support.flows.other_side import OtherSide


@pytest.fixture
def side() -> Iterator[OtherSide]:
    with OtherSide() as listening:
        yield listening
