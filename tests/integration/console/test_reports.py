"""The daily report as a page and as files."""

from datetime import timedelta

from console.server.times import ZONE
from tasks.orders.people.worklist import business_now
from tests.support.console.client import ConsoleClient, words_on
from tests.support.console.waiting_reviews import asked_about


def test_the_report_of_a_day_has_its_charts_with_a_table_under_each(console: ConsoleClient) -> None:
    asked_about(console.house)
    today = business_now(console.house.database).astimezone(ZONE).date()
    page = console.get(f"/reports/{today}", "viewer")
    assert page.status_code == 200
    assert page.text.count("<h1") == 1
    assert page.text.count("<figure>") >= 3
    assert page.text.count("<table") > page.text.count("<figure>")
    assert "style=" not in page.text
    assert "复核" in words_on(console.get(f"/reports/{today}", "viewer", language="zh"))


def test_the_last_day_that_is_over_is_shown_first_and_none_that_lies_ahead(console: ConsoleClient) -> None:
    today = business_now(console.house.database).astimezone(ZONE).date()
    first = console.get("/reports", "viewer").headers["location"]
    assert first == f"/console/reports/{today - timedelta(days=1)}"
    for day in (today + timedelta(days=2), "yesterday"):
        assert console.get(f"/reports/{day}", "viewer").status_code == 404


def test_a_report_is_given_as_a_file(console: ConsoleClient) -> None:
    today = business_now(console.house.database).astimezone(ZONE).date()
    file = console.get(f"/reports/{today}/csv", "viewer")
    assert file.headers["content-type"].startswith("text/csv")
    assert file.headers["content-disposition"] == f'attachment; filename="daily_report_{today}.csv"'
    assert console.get(f"/reports/{today}/exe", "viewer").status_code == 404
