"""The pages of stops and of the do-not-call list: two actions stop everything; a number is never shown in clear."""

from typing import Any

import httpx2
import pytest

from tests.support.console.client import ConsoleClient, words_on
from tests.support.factories import submission
from tests.support.probe import Probe

PHONE = "13800138000"
NUMBERS = "/stops/numbers"


def stopped(console: ConsoleClient, **form: str) -> httpx2.Response:
    given: dict[str, Any] = {"reason": "投诉激增"} | form
    return console.post("/stops", "manager", **given)


def added(console: ConsoleClient, **form: str) -> httpx2.Response:
    given: dict[str, Any] = {"do": "add", "phone": PHONE, "reason": "客户要求"} | form
    return console.post(NUMBERS, "manager", **given)


def only_id(console: ConsoleClient, table: str, name: str) -> Any:
    return Probe(console.house.database).value(f"SELECT {name} FROM {table}")


def test_everything_is_stopped_in_two_actions_from_any_page(console: ConsoleClient) -> None:
    assert 'href="/console/stops/new"' in console.get("/alerts", "manager").text
    form = console.get("/stops/new", "manager")
    assert 'name="reason"' in form.text
    page = words_on(stopped(console))
    assert "Every contact is stopped." in page
    assert "In force 1" in page
    assert "every channel · every region 投诉激增 manager" in page


def test_while_everything_is_stopped_every_page_says_so(console: ConsoleClient) -> None:
    stopped(console, channel="sms")
    assert "Every contact is stopped." not in words_on(console.get("/alerts", "viewer"))
    stopped(console)
    for path in ("/alerts", "/nowhere"):
        assert "Every contact is stopped." in words_on(console.get(path, "viewer"))


def test_a_stop_of_a_channel_and_region_says_how_many_orders_it_holds(console: ConsoleClient) -> None:
    console.house.accept(submission(metadata={"phone": PHONE, "region": "上海市浦东"}))
    console.house.accept(submission(metadata={"phone": PHONE}))
    page = words_on(stopped(console, channel="phone", region="上海"))
    assert "holds 1 of 2 open orders" in page
    assert "1 without a region go on" in page


def test_a_stop_without_a_reason_is_not_made_and_keeps_what_was_typed(console: ConsoleClient) -> None:
    page = stopped(console, reason=" ", region="上海")
    assert page.status_code == 422
    assert "This must be filled in." in words_on(page)
    assert 'value="上海"' in page.text
    assert Probe(console.house.database).value("SELECT count(*) FROM contact_stops") == 0


def test_a_channel_that_there_is_not_stops_nothing(console: ConsoleClient) -> None:
    assert stopped(console, channel="fax").status_code == 422
    assert Probe(console.house.database).value("SELECT count(*) FROM contact_stops") == 0


def test_the_same_stop_again_says_that_it_stands(console: ConsoleClient) -> None:
    stopped(console)
    assert "in force already" in words_on(stopped(console, reason="又一次"))
    assert Probe(console.house.database).value("SELECT count(*) FROM contact_stops") == 1


def test_lifting_needs_a_reason_which_the_record_keeps(console: ConsoleClient) -> None:
    stopped(console)
    path = f"/stops/{only_id(console, 'contact_stops', 'stop_id')}"
    assert console.post(path, "manager", reason="").status_code == 422
    page = console.post(path, "manager", reason="已核实 13800138000")
    assert "Nothing is stopped." in words_on(page)
    kept = "SELECT detail->>'reason' FROM system_audit WHERE what = 'contact_stop_lifted'"
    assert Probe(console.house.database).value(kept) == "已核实 138****8000"
    assert "投诉激增" in words_on(console.get("/stops?lifted=1", "viewer"))


@pytest.mark.parametrize("login", ["viewer", "reviewer", "operator", "developer"])
def test_who_may_not_stop_sees_what_is_stopped_and_no_control(console: ConsoleClient, login: str) -> None:
    stopped(console)
    page = console.get("/stops", login)
    assert "In force 1" in words_on(page)
    for control in ("/stops/new", "/stops/numbers", "/stops/stop_", 'action="/console/stops'):
        assert control not in page.text
    stop_id = only_id(console, "contact_stops", "stop_id")
    assert console.get("/stops/new", login).status_code == 403
    assert console.get(NUMBERS, login).status_code == 403
    assert console.post("/stops", login, reason="x").status_code == 403
    assert console.post(NUMBERS, login, do="add", phone=PHONE, reason="x").status_code == 403
    assert console.post(f"/stops/{stop_id}", login, reason="x").status_code == 403


def test_a_number_is_listed_masked_and_lifted_with_a_reason(console: ConsoleClient) -> None:
    page = added(console, channel="sms", day="2150-05-01")
    assert "138****8000 SMS 客户要求 manager" in words_on(page)
    assert PHONE not in page.text
    path = f"{NUMBERS}/{only_id(console, 'do_not_call', 'entry_id')}"
    assert console.post(path, "manager", reason="").status_code == 422
    lifted = console.post(path, "manager", reason="客户同意")
    assert "No number is on the list." in words_on(lifted)
    assert "138****8000" in words_on(console.get(f"{NUMBERS}?ended=1", "manager"))
    kept = "SELECT detail->>'reason' FROM system_audit WHERE what = 'do_not_call_lifted'"
    assert Probe(console.house.database).value(kept) == "客户同意"


def test_until_a_day_means_to_its_end_in_business_time(console: ConsoleClient) -> None:
    added(console, day="2150-05-01")
    until = "SELECT to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') FROM do_not_call"
    assert Probe(console.house.database).value(until) == "2150-05-01 16:00"


def test_the_number_of_an_order_is_listed_by_the_orders_id(console: ConsoleClient) -> None:
    sent = submission(metadata={"phone": PHONE})
    (receipt,) = console.house.accept(sent)
    assert receipt.task_id is not None
    page = added(console, phone="", task_id=receipt.task_id)
    assert f"manager · {receipt.task_id}" in words_on(page)
    assert "138****8000" in words_on(page)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"phone": "138****8000"}, "no number that can be called"),
        ({"task_id": "HT1"}, "one of the two"),
        ({"phone": "", "task_id": "HT_none"}, "There is no such order."),
        ({"reason": ""}, "This must be filled in."),
        ({"day": "2020-01-01"}, "This day has passed."),
        ({"day": "9999-12-31"}, "This is no date."),
        ({"channel": "fax"}, "This is not offered."),
    ],
)
def test_what_is_wrong_with_a_number_stands_beside_its_field(
    console: ConsoleClient, form: dict[str, str], said: str
) -> None:
    page = added(console, **form)
    assert page.status_code == 422
    assert said in words_on(page)
    if "reason" not in form:
        assert 'value="客户要求"' in page.text
    assert Probe(console.house.database).value("SELECT count(*) FROM do_not_call") == 0


def test_many_lines_are_taken_in_with_a_result_each_and_the_rest_is_kept(console: ConsoleClient) -> None:
    added(console)
    lines = f"13900139000, 本人来电\n\n{PHONE}\nnonsense\n"
    page = console.post(NUMBERS, "manager", do="import", lines=lines, all_reason="客户要求")
    said = words_on(page)
    assert "Line 1 139****9000 added" in said
    assert "Line 3 138****8000 was on the list already" in said
    assert "Line 4 no number that can be called" in said
    assert '<textarea name="lines" rows="6" spellcheck="false" class="code">nonsense</textarea>' in page.text
    assert "13900139000" not in page.text
    assert "139****9000 every channel 本人来电" in said


def test_a_number_is_found_by_what_is_sent_in_a_form(console: ConsoleClient) -> None:
    added(console)
    found = console.post(NUMBERS, "manager", do="find", sought="+86 138-0013-8000")
    assert "138****8000" in words_on(found)
    assert "not on the list" in words_on(console.post(NUMBERS, "manager", do="find", sought="13900139000"))


def test_a_reason_is_text_and_both_languages_say_what_stands(console: ConsoleClient) -> None:
    stopped(console, reason="<script>x</script>")
    for language, said in (("zh", "全部联系已停止"), ("en", "Every contact is stopped")):
        page = console.get("/stops", "viewer", language=language)
        assert said in words_on(page)
        assert "<script>x" not in page.text
        assert "&lt;script&gt;x" in page.text


def test_a_stop_that_there_is_not_is_not_found(console: ConsoleClient) -> None:
    for path in ("/stops/stop_none", "/stops/%00", "/stops/numbers/dnc_none", "/stops/numbers/%00"):
        assert console.get(path, "manager").status_code == 404
