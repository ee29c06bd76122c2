"""A real browser at the console behind a real socket."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from api.server.process import Server
from console.app import create_console
from console.server.cookie import NAME
from console.server.navigation import PREFIX
from schemas.access.roles import Role
from storage.access.console_sessions import ConsoleSessions
from storage.access.users import Users
from tests.support.api.client import ApiParts
from tests.support.in_process_fleet import InProcessFleet
from tests.support.waiting import wait_until

ABSENT: Final = "chromium is not installed here"
WAIT_MILLISECONDS: Final = 120_000
"""A bound that only a failure meets."""


def is_installed() -> bool:
    """Whether there is a browser of the system."""
    return shutil.which("chromium") is not None


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser, started."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass(slots=True)
class LiveConsole:
    """The console behind a socket, and who is let in."""

    house: InProcessFleet
    port: int = 0
    _server: Server | None = None
    _thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"

    def start(self) -> None:
        """Serve, on the port of before if there was one."""
        app = create_console(ApiParts(self.house))
        server = Server.over(app, host="127.0.0.1", port=self.port, timeout_graceful_shutdown=1)
        thread = threading.Thread(target=server.run)
        thread.start()
        wait_until(lambda: server.started or not thread.is_alive())
        self.port = server.servers[0].sockets[0].getsockname()[1]
        self._server, self._thread = server, thread

    def stop(self) -> None:
        """Serve no more."""
        assert self._server is not None
        assert self._thread is not None
        self._server.should_exit = True
        self._thread.join(180)
        assert not self._thread.is_alive()

    def let_in(self, context: BrowserContext, login: str, *roles: Role, language: str = "zh") -> None:
        """Let a browser be logged in as a new person with these roles."""
        cookie = f"cookie-of-{login}"
        with self.house.database.transaction() as work:
            user = Users(work).add(login, login, [role.value for role in roles])
            assert user is not None
            ConsoleSessions(work).begin(user.user_id, cookie)
        for name, value in ((NAME, cookie), ("unpend_language", language)):
            context.add_cookies([{"name": name, "value": value, "domain": "127.0.0.1", "path": PREFIX}])


@dataclass(slots=True)
class Watched:
    """A page of the browser, and everything that it complained about or asked of others."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    @classmethod
    def over(cls, page: Page, address: str) -> "Watched":
        """Watch this page, which belongs to this console."""
        watched = cls(page)
        page.set_default_timeout(WAIT_MILLISECONDS)
        own = address.removesuffix(PREFIX)

        def asked(request: Any) -> None:
            if not request.url.startswith((own, "data:")):
                watched.elsewhere.append(request.url)

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                watched.complaints.append(message.text)

        page.on("request", asked)
        page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        page.on("console", said)
        return watched
