"""Reviews are decided by keys, one after another, and undone (CONSOLE.md §4, §11)."""

from playwright.sync_api import expect

from schemas.access.roles import Role
from tests.browser.conftest import Visitors
from tests.support.console.browser import LiveConsole
from tests.support.console.waiting_reviews import asked_about, come_due
from tests.support.probe import Probe


def holds(console: LiveConsole) -> list[tuple[str, str]]:
    rows = Probe(console.house.database).rows("SELECT review_id, state FROM held_decisions ORDER BY made_at")
    return [(row.review_id, row.state) for row in rows]


def open_actions(console: LiveConsole) -> int:
    found: int = Probe(console.house.database).value("SELECT count(*) FROM actions")
    return found


def test_reviews_are_decided_by_keys_one_after_another_and_none_acts_before_its_hold_ends(
    console: LiveConsole, visit: Visitors
) -> None:
    asked = [asked_about(console.house) for _ in range(5)]
    page = visit("wangfang", Role.REVIEWER, path="/reviews").page
    page.keyboard.press("n")
    for review in asked:
        expect(page.locator(f"#review[data-review={review}][data-mine]")).to_be_visible()
        expect(page.locator(".words")).to_be_visible()
        page.keyboard.press("2")
    expect(page.locator("#review[data-review]")).to_have_count(0)
    expect(page.locator("#tray .held")).to_have_count(5)
    assert sorted(holds(console)) == sorted((review, "held") for review in asked)
    assert open_actions(console) == 0
    assert come_due(console.house) == 5
    assert {state for _, state in holds(console)} == {"applied"}


def test_u_takes_the_last_decision_back(console: LiveConsole, visit: Visitors) -> None:
    first, second = asked_about(console.house), asked_about(console.house)
    page = visit("wangfang", Role.REVIEWER, path="/reviews").page
    page.keyboard.press("n")
    expect(page.locator(f"#review[data-review={first}][data-mine]")).to_be_visible()
    page.keyboard.press("5")
    expect(page.locator(f"#review[data-review={second}]")).to_be_visible()
    expect(page.locator("#tray .held")).to_have_count(1)
    page.keyboard.press("u")
    expect(page.locator(f"#review[data-review={first}][data-mine]")).to_be_visible()
    expect(page.locator("#tray .held")).to_have_count(0)
    assert holds(console) == [(first, "undone")]


def test_what_another_takes_or_decides_is_seen_without_asking(console: LiveConsole, visit: Visitors) -> None:
    review = asked_about(console.house)
    watching = visit("zhaomin", Role.MANAGER, path="/reviews").page
    expect(watching.locator("#live")).to_have_text("实时")
    taking = visit("wangfang", Role.REVIEWER, path="/reviews").page
    taking.keyboard.press("n")
    expect(watching.locator(f"[data-open={review}] .holder")).to_have_text("wangfang 正在处理")
    taking.keyboard.press("r")
    expect(taking.locator("#tray .held")).to_have_count(1)
    come_due(console.house)
    expect(watching.locator(f"[data-open={review}]")).to_have_count(0)


def test_a_key_typed_into_a_field_decides_nothing(console: LiveConsole, visit: Visitors) -> None:
    asked_about(console.house)
    page = visit("wangfang", Role.REVIEWER, path="/reviews").page
    page.keyboard.press("n")
    expect(page.locator("#review[data-mine]")).to_be_visible()
    page.keyboard.press("t")
    page.keyboard.type("15r")
    page.keyboard.press("Enter")
    expect(page.locator("[name=words]")).to_have_value("15r")
    assert holds(console) == []


def test_a_lost_server_is_said_and_what_was_decided_meanwhile_arrives(
    console: LiveConsole, visit: Visitors
) -> None:
    first, second = asked_about(console.house), asked_about(console.house)
    page = visit("wangfang", Role.REVIEWER, path="/reviews").page
    expect(page.locator("#live")).to_have_text("实时")
    page.keyboard.press("n")
    expect(page.locator(f"#review[data-review={first}][data-mine]")).to_be_visible()
    expect(page.locator(f"[data-open={second}] .holder")).to_be_visible()
    console.stop()
    expect(page.locator("#live")).to_have_text("已断开，数字可能过时")
    page.keyboard.press("2")
    expect(page.locator("#tray .held[data-failed]")).to_have_count(1)
    assert holds(console) == []
    console.start()
    expect(page.locator("#live")).to_have_text("实时")
    expect(page.locator("#tray .held:not([data-failed])")).to_have_count(1)
    assert holds(console) == [(first, "held")]
