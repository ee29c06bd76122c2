"""Every page can be used by everybody: contrast, names, keyboard, narrow screens, nothing foreign (CONSOLE.md §11)."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from console.server.navigation import MENU
from schemas.access.roles import Role
from tests.browser.conftest import Visitors
from tests.support.console.browser import LiveConsole
from tests.support.console.waiting_reviews import asked_about

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
LOOKS = [
    pytest.param("zh", "light", WIDE, id="chinese, light, wide"),
    pytest.param("en", "dark", PHONE, id="english, dark, phone"),
]
PATHS = [entry.path for entry in MENU]
# WCAG 2.2 A and AA: https://github.com/dequelabs/axe-core/blob/develop/doc/API.md
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


def faults_of(page: Page) -> list[str]:
    looked_at = Axe().run(page, options=RULES).response
    assert len(looked_at["passes"]) > 10
    found = looked_at["violations"]
    return [
        f"{each['id']}: {node['target']} {node.get('failureSummary')}"
        for each in found
        for node in each["nodes"]
    ]


def overflow_of(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return pixels


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS)
@pytest.mark.parametrize("path", PATHS)
def test_a_page_can_be_used_by_everybody(
    console: LiveConsole, visit: Visitors, path: str, language: str, theme: str, size: dict[str, int]
) -> None:
    asked_about(console.house)
    watched = visit(
        "administrator", Role.ADMIN, path=path, language=language, color_scheme=theme, viewport=size
    )
    expect(watched.page.locator("h1")).to_have_count(1)
    assert faults_of(watched.page) == []
    assert overflow_of(watched.page) <= 0
    assert watched.complaints == []
    assert watched.elsewhere == []


@pytest.mark.parametrize(("language", "theme", "size"), LOOKS)
def test_an_opened_review_can_be_decided_by_everybody(
    console: LiveConsole, visit: Visitors, language: str, theme: str, size: dict[str, int]
) -> None:
    review = asked_about(console.house)
    watched = visit(
        "wangfang",
        Role.REVIEWER,
        path=f"/reviews/{review}",
        language=language,
        color_scheme=theme,
        viewport=size,
    )
    expect(watched.page.locator("#review[data-mine]")).to_be_visible()
    assert faults_of(watched.page) == []
    assert overflow_of(watched.page) <= 0
    assert watched.complaints == []
    assert watched.elsewhere == []


def test_the_login_can_be_used_by_everybody(console: LiveConsole, visit: Visitors) -> None:
    page = visit("wangfang", Role.REVIEWER, path="/reviews").page
    page.context.clear_cookies()
    page.goto(f"{console.address}/login")
    assert faults_of(page) == []


def test_the_keys_are_explained_and_can_be_switched_off(console: LiveConsole, visit: Visitors) -> None:
    review = asked_about(console.house)
    page = visit("wangfang", Role.REVIEWER, path="/reviews").page
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    expect(page.locator("#help-keys")).to_contain_text("下一条")
    assert faults_of(page) == []
    page.locator("#keys-off").check()
    page.locator("#help button").click()
    page.keyboard.press("n")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_hidden()
    expect(page.locator(f"[data-open={review}] .holder")).to_have_count(0)


def test_a_page_that_cannot_be_read_is_found(visit: Visitors) -> None:
    page = visit("wangfang", Role.REVIEWER, path="/reviews").page
    page.evaluate("document.querySelector('h1').style.color = '#eee'")
    assert [fault.partition(":")[0] for fault in faults_of(page)] == ["color-contrast"]
