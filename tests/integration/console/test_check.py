"""The page of the checklist: who may open it, and that it says what was found as text."""

from tests.support.console.client import ConsoleClient, words_on
from tests.support.probe import Probe


def test_it_shows_what_failed_with_its_remedy_in_the_language_of_the_person(console: ConsoleClient) -> None:
    page = console.get("/check", "admin")
    assert page.status_code == 200
    assert "Something failed" in words_on(page)
    assert "Raise a stop and lift it" in words_on(page)
    assert "停呼一次再解除" in words_on(console.get("/check", "admin", language="zh"))


def test_it_is_hidden_from_who_is_no_administrator_and_refused(console: ConsoleClient) -> None:
    assert console.get("/check", "manager").status_code == 403
    assert "/console/check" not in console.get("/reviews", "manager").text
    assert "/console/check" in console.get("/reviews", "admin").text


def test_what_a_check_names_is_shown_as_text(console: ConsoleClient) -> None:
    Probe(console.house.database).write(
        "INSERT INTO schedules (workflow, position, version, cron, timezone) "
        "VALUES ('<script>alert(1)</script>', 0, '1.0', '0 9 * * *', 'Asia/Shanghai')"
    )
    page = console.get("/check", "admin")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
