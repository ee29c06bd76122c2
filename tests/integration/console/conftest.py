"""The console over a fresh database, and people who are logged in to it."""

from collections.abc import Iterator

import pytest

from schemas.access.roles import Role
from tests.support.console.client import ConsoleClient, console_over
from tests.support.in_process_fleet import InProcessFleet


@pytest.fixture
def console(house: InProcessFleet) -> Iterator[ConsoleClient]:
    """The console, with one person of each role, whose login is the role's name."""
    with console_over(house) as client:
        for role in Role:
            client.add_person(role.value, role)
        yield client
