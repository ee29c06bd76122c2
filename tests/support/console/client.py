"""The console over one process's parts, called in-process by people who are logged in."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from starlette.applications import Starlette

from console.app import create_console
from console.server.cookie import NAME
from console.server.navigation import PREFIX
from console.server.visit import SEE_OTHER
from schemas.access.roles import Role
from storage.access.console_sessions import ConsoleSessions
from storage.access.users import Users
from tasks.access.sessions import find_session
from tests.support.api.client import ApiParts
from tests.support.in_process_fleet import InProcessFleet

ORIGIN = "http://console"
_TAG = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.DOTALL)


@dataclass(slots=True)
class ConsoleClient:
    """Opens pages and sends forms as a person; `login` chooses who."""

    house: InProcessFleet
    app: Starlette
    portal: BlockingPortal
    client: httpx2.AsyncClient
    cookies: dict[str, str] = field(default_factory=dict)

    def add_person(self, login: str, *roles: Role) -> None:
        """Add somebody who is logged in; their password is not needed."""
        cookie = f"cookie-of-{login}"
        with self.house.database.transaction() as work:
            user = Users(work).add(login, login, [role.value for role in roles])
            assert user is not None
            ConsoleSessions(work).begin(user.user_id, cookie)
        self.cookies[login] = cookie

    def token_of(self, login: str) -> str:
        """What a form of theirs carries."""
        session = find_session(self.house.database, self.cookies[login])
        assert session is not None
        return session.form_token

    def get(self, path: str, login: str | None = None, *, language: str = "en") -> httpx2.Response:
        """A page, in English unless said otherwise."""
        return self.call("GET", path, login, language=language)

    def post(
        self, path: str, login: str | None = None, /, *, follow: bool = True, **fields: Any
    ) -> httpx2.Response:
        """A form with these fields, sent from a page of the person's; the page that is shown afterwards."""
        token = {} if login is None else {"token": self.token_of(login)}
        answer = self.call("POST", path, login, data={**token, **fields}, headers={"Origin": ORIGIN})
        if not follow or answer.status_code != SEE_OTHER:
            return answer
        # By hand: the client sends no cookie of ours on to where it is led.
        return self.get(answer.headers["location"].removeprefix(PREFIX), login)

    def call(
        self,
        method: str,
        path: str,
        login: str | None = None,
        *,
        language: str = "en",
        headers: Mapping[str, str] | None = None,
        **options: Any,
    ) -> httpx2.Response:
        """Any request; nobody's where no login is named."""
        cookies = {"unpend_language": language}
        if login is not None:
            cookies[NAME] = self.cookies[login]
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), **(headers or {})}

        async def ask() -> httpx2.Response:
            return await self.client.request(method, PREFIX + path, headers=sent, **options)

        return self.portal.call(ask)


def words_on(page: httpx2.Response) -> str:
    """What a page says to who reads it, without its tags."""
    return " ".join(unescape(_TAG.sub(" ", page.text)).split())


@contextmanager
def console_over(house: InProcessFleet) -> Iterator[ConsoleClient]:
    """The console over this house, started."""
    app = create_console(ApiParts(house))
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
    ):
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app, raise_app_exceptions=False), base_url=ORIGIN
        )
        yield ConsoleClient(house, app, portal, client)
        portal.call(client.aclose)
