"""The console behind a socket, and the system's browser; skips where there is none."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from schemas.access.roles import Role
from tests.support.console.browser import (
    ABSENT,
    WAIT_MILLISECONDS,
    LiveConsole,
    Watched,
    chromium,
    is_installed,
)
from tests.support.in_process_fleet import InProcessFleet

Visitors = Callable[..., Watched]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of a file: while it runs, its loop does, and no other test of this worker could have one."""
    if not is_installed():
        pytest.skip(ABSENT)
    expect.set_options(timeout=WAIT_MILLISECONDS)
    with chromium() as started:
        yield started


@pytest.fixture
def console(browser: Browser, house: InProcessFleet) -> Iterator[LiveConsole]:
    """The console over a fresh database."""
    live = LiveConsole(house)
    live.start()
    yield live
    live.stop()


@pytest.fixture
def visit(browser: Browser, console: LiveConsole) -> Iterator[Visitors]:
    """Opens a page as a new person, in a browser of their own."""
    contexts = []

    def open_page(
        login: str, *roles: Role, path: str = "/", language: str = "zh", **options: object
    ) -> Watched:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        console.let_in(context, login, *roles, language=language)
        watched = Watched.over(context.new_page(), console.address)
        watched.page.goto(console.address + path)
        return watched

    yield open_page
    for context in contexts:
        context.close()
