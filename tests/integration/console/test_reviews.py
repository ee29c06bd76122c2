"""The worklist: reviews are opened, read, decided, undone and given back (CONSOLE.md §4)."""

import re
from html import unescape
from typing import Any

import httpx2
import pytest

from tests.support.console.client import ConsoleClient, words_on
from tests.support.console.waiting_reviews import UNCLEAR, asked_about, come_due
from tests.support.probe import Probe

WANG, ZHAO = "reviewer", "manager"


@pytest.fixture
def review(console: ConsoleClient) -> str:
    """A review that nobody has opened."""
    return asked_about(console.house)


def opened(console: ConsoleClient, review: str, login: str = WANG) -> httpx2.Response:
    return console.post(f"/reviews/{review}/take", login)


def decided(console: ConsoleClient, review: str, login: str = WANG, **fields: Any) -> httpx2.Response:
    return console.post(f"/reviews/{review}/decide", login, follow=False, key="k1", **fields)


def said_on(page: httpx2.Response) -> str:
    """The customer's words as a page shows them, without what is marked in them."""
    quoted = re.findall(r"<blockquote[^>]*>(.*?)</blockquote>", page.text, re.DOTALL)
    return re.sub(r"<small>.*?</small>|<[^>]*>", "", "".join(quoted))


def holds(console: ConsoleClient) -> list[tuple[str, str]]:
    return [
        tuple(row) for row in Probe(console.house.database).rows("SELECT decision, state FROM held_decisions")
    ]


def test_the_list_has_no_word_of_a_customer_and_no_number(console: ConsoleClient, review: str) -> None:
    page = console.get("/reviews", WANG)
    assert review in page.text
    assert UNCLEAR not in page.text
    assert not re.search(r"1380013\d{4}", page.text)


def test_the_words_are_for_who_has_opened_the_review_and_each_look_is_on_record(
    console: ConsoleClient, review: str
) -> None:
    assert said_on(console.get(f"/reviews/{review}", WANG)) == ""
    assert said_on(opened(console, review)) == UNCLEAR
    assert said_on(console.get(f"/reviews/{review}", ZHAO)) == ""
    looks = "SELECT count(*) FROM audit_logs WHERE event_type = 'personal_data_revealed' AND agent_id = %s"
    assert Probe(console.house.database).value(looks, WANG) == 1
    assert Probe(console.house.database).value(looks, ZHAO) == 0


def test_another_persons_review_is_read_only_until_a_manager_takes_it_over(
    console: ConsoleClient, review: str
) -> None:
    opened(console, review)
    page = console.get(f"/reviews/{review}", ZHAO)
    assert f"{WANG} works on it" in words_on(page)
    assert "/decide" not in page.text
    assert console.post(f"/reviews/{review}/take-over", WANG).status_code == 403
    over = console.post(f"/reviews/{review}/take-over", ZHAO)
    assert "/decide" in over.text
    assert decided(console, review, choice="recontact").status_code == 409


def test_a_decision_is_held_and_shown_and_then_applied_once(console: ConsoleClient, review: str) -> None:
    opened(console, review)
    assert decided(console, review, choice="parts_pending", day="").headers["location"] == "/console/reviews"
    page = console.get("/reviews", WANG)
    assert f"/reviews/{review}/undo" in page.text
    assert decided(console, review, choice="parts_pending").status_code == 303
    assert come_due(console.house) == 1
    assert holds(console) == [("classify", "applied")]
    assert review not in console.get("/reviews", WANG).text


def test_the_next_review_is_the_first_of_the_list_as_it_is_narrowed(console: ConsoleClient) -> None:
    for region in ("华东", "华北"):
        asked_about(console.house, metadata={"region": region})
    wanted = Probe(console.house.database).value("SELECT review_id FROM reviews WHERE region = '华北'")
    taken = console.post("/reviews/next?region=华北", WANG, follow=False)
    assert taken.headers["location"].startswith(f"/console/reviews/{wanted}?region=")
    assert (
        console.post("/reviews/next?region=华北", WANG, follow=False)
        .headers["location"]
        .startswith("/console/reviews?region=")
    )


def test_the_next_review_follows_a_decision(console: ConsoleClient, review: str) -> None:
    second = asked_about(console.house)
    opened(console, review)
    assert decided(console, review, choice="recontact").headers["location"] == f"/console/reviews/{second}"
    assert console.get(f"/reviews/{second}", WANG).text.count("/decide") == 1


def test_an_undone_decision_gives_the_review_back_to_who_made_it(console: ConsoleClient, review: str) -> None:
    opened(console, review)
    decided(console, review, choice="no_longer_needed")
    back = console.post(f"/reviews/{review}/undo", WANG)
    assert "/decide" in back.text
    assert come_due(console.house) == 0
    assert holds(console) == [("classify", "undone")]


def test_a_close_without_a_reason_is_said_beside_the_field_and_nothing_typed_is_lost(
    console: ConsoleClient, review: str
) -> None:
    opened(console, review)
    page = decided(console, review, choice="close", words="下周三上午")
    assert page.status_code == 422
    assert "Closing an order needs a reason" in words_on(page)
    assert 'value="下周三上午"' in page.text
    assert 'value="k1"' in page.text
    assert holds(console) == []


def test_a_date_in_words_is_read_as_a_customers(console: ConsoleClient, review: str) -> None:
    opened(console, review)
    unclear = decided(console, review, choice="parts_pending", words="再说吧")
    assert unclear.status_code == 422
    assert "This date is not clear" in words_on(unclear)
    assert decided(console, review, choice="parts_pending", words="下周三上午").status_code == 303
    come_due(console.house)
    console.house.run()
    (task_id,) = Probe(console.house.database).values("SELECT task_id FROM reviews")
    followup = console.house.order(task_id).next_contact_time
    assert followup is not None
    assert followup.weekday() == 2


def test_what_decided_is_marked_in_the_words_and_said_in_the_language_of_the_person(
    console: ConsoleClient,
) -> None:
    review = asked_about(console.house, "不用来了，下周三再说吧，先别修了")
    page = opened(console, review)
    assert re.search(r'<mark class="date"[^>]*>下周三', page.text)
    assert re.search(r"<mark class=.(for|against).[^>]*>[^<]+<small>[a-z]", page.text)
    chinese = words_on(console.get(f"/reviews/{review}", WANG, language="zh"))
    assert "为什么问您" in chinese
    assert re.search(r"<small>[a-z]", console.get(f"/reviews/{review}", WANG, language="zh").text) is None


def test_a_review_that_is_given_back_is_free_for_another(console: ConsoleClient, review: str) -> None:
    opened(console, review)
    console.post(f"/reviews/{review}/leave", WANG)
    assert (
        console.post("/reviews/next", ZHAO, follow=False).headers["location"] == f"/console/reviews/{review}"
    )


def test_a_review_that_there_is_not_is_not_found(console: ConsoleClient) -> None:
    assert console.get("/reviews/REVnothing", WANG).status_code == 404
    assert console.post("/reviews/REVnothing/take", WANG).status_code == 404


def test_what_looks_like_a_script_is_text(console: ConsoleClient) -> None:
    script = "<script>alert(1)</script>听不清"
    review = asked_about(console.house, script, metadata={"product": script, "region": script})
    page = opened(console, review)
    assert "<script>alert" not in page.text
    assert unescape(said_on(page)) == script


def test_the_page_of_a_reviewer_is_in_chinese_until_they_choose_otherwise(
    console: ConsoleClient, review: str
) -> None:
    page = words_on(console.call("GET", f"/reviews/{review}", WANG, language=""))
    assert "待复核" in page
    assert "开始处理" in page
