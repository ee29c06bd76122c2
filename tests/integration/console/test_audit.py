"""The audit log as a page."""

import re

from tests.support.console.client import ConsoleClient, words_on
from tests.support.console.waiting_reviews import asked_about
from tests.support.probe import Probe


def test_lines_are_found_by_who_what_order_and_day(console: ConsoleClient) -> None:
    asked_about(console.house)
    (task_id,) = Probe(console.house.database).values("SELECT task_id FROM reviews")
    everything = console.get(f"/audit?task_id={task_id}", "viewer")
    assert "intent_classified" in words_on(everything)
    assert not re.search(r"1380013\d{4}", everything.text)
    one = console.get(f"/audit?task_id={task_id}&event_type=intent_classified", "viewer")
    assert one.text.count("<tr>") == 2
    nothing = console.get("/audit?until=2020-01-01", "viewer")
    assert "No line is like that" in words_on(nothing)


def test_a_day_that_is_none_is_said_beside_its_field_and_what_was_typed_stays(console: ConsoleClient) -> None:
    page = console.get("/audit?task_id=HT1&since=yesterday", "viewer")
    assert page.status_code == 422
    assert "This is no date" in words_on(page)
    assert 'value="HT1"' in page.text


def test_older_lines_follow_the_newest(console: ConsoleClient) -> None:
    for _ in range(24):
        asked_about(console.house)
    first = console.get("/audit", "viewer")
    (older,) = re.findall(r'href="/console(/audit\?[^"]*before=[^"]*)"', first.text)
    second = console.get(older.replace("&amp;", "&"), "viewer")
    lines = Probe(console.house.database).value("SELECT count(*) FROM audit_logs")
    assert first.text.count("<tr>") - 1 == 100
    assert second.text.count("<tr>") - 1 == min(100, lines - 100)
