"""The API over one process's parts, called in-process, with its lifespan and concurrent callers."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from api.app import create_app
from engine.engine import Engine
from engine.publisher import Publisher
from runtime.personal import PersonalFields
from runtime.settings import Settings
from schemas.access.roles import Role
from schemas.core.agents import Agents
from storage.access.keys import Keys, NewKey
from storage.access.users import Users
from storage.core.database import Database
from tasks.orders.rules.context import Context
from tests.support.agents import AGENTS, OWNERS
from tests.support.in_process_fleet import InProcessFleet

VERSION = "0.0.test"


@dataclass(slots=True)
class ApiParts:
    """A house as the API's door wants it; the API of one house may be given another when it has stopped."""

    house: InProcessFleet

    @property
    def settings(self) -> Settings:
        return self.house.settings

    @property
    def database(self) -> Database:
        return self.house.database

    @property
    def retention_database(self) -> Database:
        return self.house.retention_database

    @property
    def publisher(self) -> Publisher:
        return self.house.wire

    @property
    def context(self) -> Context:
        return self.house.context

    @property
    def personal(self) -> PersonalFields:
        return self.house.context.personal

    @property
    def agents(self) -> Agents:
        return AGENTS

    @property
    def engine(self) -> Engine:
        return self.house.engine


@dataclass(frozen=True, slots=True)
class Call:
    """One request to be made."""

    method: str
    path: str
    options: dict[str, Any]


@dataclass(slots=True)
class ApiClient:
    """Calls the API as the owner of a key; `agent` chooses whose."""

    house: InProcessFleet
    app: FastAPI
    portal: BlockingPortal
    client: httpx2.AsyncClient

    def get(self, path: str, agent: str | None = "admin", **options: Any) -> httpx2.Response:
        return self.call("GET", path, agent, **options)

    def post(self, path: str, agent: str | None = "admin", **options: Any) -> httpx2.Response:
        return self.call("POST", path, agent, **options)

    def call(self, method: str, path: str, agent: str | None = "admin", **options: Any) -> httpx2.Response:
        return self.at_once([self.prepare(method, path, agent, **options)])[0]

    def prepare(self, method: str, path: str, agent: str | None = "admin", **options: Any) -> Call:
        """A request as `at_once` takes it."""
        headers = options.pop("headers", {})
        if agent is not None:
            headers = {"Authorization": f"Bearer {key_of(agent)}", **headers}
        return Call(method, path, {"headers": headers, **options})

    def at_once(self, calls: Sequence[Call]) -> list[httpx2.Response]:
        """The answers to requests that are all under way at the same time."""

        async def gather() -> list[httpx2.Response]:
            made = [self.client.request(call.method, call.path, **call.options) for call in calls]
            return await asyncio.gather(*made)

        return self.portal.call(gather)


def key_of(agent: str) -> str:
    """The key the tests gave this agent."""
    return f"key-of-{agent}"


def register_person(house: InProcessFleet, login: str, *roles: Role) -> None:
    """Add a person with these roles, and a key of theirs that `agent` names by the login."""
    with house.database.transaction() as work:
        user = Users(work).add(login, login, [role.value for role in roles])
        assert user is not None
        Keys(work).create(
            key_of(login), NewKey(agent_id=login, scopes=(), user_id=user.user_id), actor="installation"
        )


def register_keys(house: InProcessFleet) -> None:
    """Let every owner in."""
    with house.database.transaction() as work:
        for agent, scopes in OWNERS.items():
            Keys(work).register(key_of(agent), agent, [scope.value for scope in scopes])


@dataclass(frozen=True, slots=True)
class Built:
    """The API with all its routes, and the parts behind them."""

    app: FastAPI
    parts: ApiParts

    @classmethod
    def over(cls, house: InProcessFleet) -> "Built":
        parts = ApiParts(house)
        return cls(create_app(parts, VERSION), parts)


Extension = Callable[[FastAPI], None]
_AT_REST: Final[defaultdict[Extension | None, list[Built]]] = defaultdict(list)
"""What stopped and may start over another house: the routes cost more to build than most tests to run."""


@contextmanager
def built_over(house: InProcessFleet, extend: Extension | None = None) -> Iterator[FastAPI]:
    """The API over this house, not started yet; used again afterwards by who wants the same routes."""
    at_rest = _AT_REST[extend]
    if at_rest:
        built = at_rest.pop()
        built.parts.house = house
        built.app.state.measurement.duration.clear()
    else:
        built = Built.over(house)
        if extend is not None:
            extend(built.app)
    yield built.app
    at_rest.append(built)


@contextmanager
def api_over(house: InProcessFleet, extend: Extension | None = None) -> Iterator[ApiClient]:
    """The API over this house, started; `extend` may add routes that only a test has."""
    with (
        built_over(house, extend) as app,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
    ):
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app, raise_app_exceptions=False), base_url="http://api/v1"
        )
        yield ApiClient(house, app, portal, client)
        portal.call(client.aclose)


async def in_chunks(body: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """A body whose length is not announced."""
    for start in range(0, len(body), size):
        yield body[start : start + size]
