"""The API of an installation with three messengers, and people whose accounts there are bound."""

from collections.abc import Iterator
from typing import Any

import pytest

from schemas.access.roles import Role
from storage.access.im_identities import ImIdentities
from storage.access.users import Users
from tests.support.api.client import ApiClient, api_over, register_keys, register_person
from tests.support.in_process_fleet import InProcessFleet
from tests.support.messengers.contract import Messenger
from tests.support.messengers.every import MESSENGERS
from tests.support.questions import ONE_QUESTION

PEOPLE = {"wangfang": Role.REVIEWER, "lilei": Role.REVIEWER, "onlooker": Role.VIEWER}


@pytest.fixture
def house(database_url: str) -> Iterator[InProcessFleet]:
    """A process that knows a run which asks one question."""
    settings: dict[str, Any] = {name: value for each in MESSENGERS for name, value in each.settings.items()}
    house = InProcessFleet.build(database_url, workflows=[ONE_QUESTION], **settings)
    yield house
    house.close()


@pytest.fixture
def api(house: InProcessFleet) -> Iterator[ApiClient]:
    """The API, and people who are in each messenger under `im-` and their login."""
    register_keys(house)
    for login, role in PEOPLE.items():
        register_person(house, login, role)
        with house.database.transaction() as work:
            user = Users(work).find(login)
            assert user is not None
            for messenger in MESSENGERS:
                ImIdentities(work).bind(user.user_id, messenger.name, f"im-{login}")
    with api_over(house) as caller:
        yield caller


@pytest.fixture(params=MESSENGERS, ids=lambda each: each.name)
def messenger(request: pytest.FixtureRequest) -> Messenger:
    """Each messenger in turn."""
    found: Messenger = request.param
    return found
