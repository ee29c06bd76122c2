"""The pages of policies and scripts: what is in force, what it says of one order, and an edited file."""

from runtime.settings import PROJECT
from tests.support.console.client import ConsoleClient, words_on
from tests.support.factories import PARTS_MISSING, answered, submission
from tests.support.probe import Probe

CONTACT = (PROJECT / "config" / "policies" / "contact.yaml").read_text(encoding="utf-8")
SCRIPT = (PROJECT / "config" / "scripts" / "pending_task_v1.yaml").read_text(encoding="utf-8")


def test_what_is_in_force_is_shown_in_the_language_of_the_person(console: ConsoleClient) -> None:
    assert "always_open" in words_on(console.get("/policies", "viewer"))
    assert "Hours on working days 00:00-24:00" in words_on(console.get("/policies", "viewer"))
    assert "工作日时段 00:00-24:00" in words_on(console.get("/policies", "viewer", language="zh"))


def test_a_month_names_its_holidays_and_its_make_up_days(console: ConsoleClient) -> None:
    page = words_on(console.get("/policies?month=2026-02", "viewer"))
    assert "public holiday" in page
    assert "make-up working day" in page
    assert "2026-01" in page
    assert "2026-03" in page


def test_a_month_that_is_none_is_the_one_of_today(console: ConsoleClient) -> None:
    for month in ("2026-13", "0001-01", "0002-01", "9998-12", "9999-12", "<script>"):
        assert console.get(f"/policies?month={month}", "viewer").status_code == 200


def test_it_says_of_an_order_whether_it_may_be_contacted_now(console: ConsoleClient) -> None:
    order = submission(answered(PARTS_MISSING))
    console.house.accept(order)
    console.house.run()
    asked = console.get(f"/policies?task_id={order.body.task_id}", "viewer")
    assert "It may be contacted now." in words_on(asked)
    Probe(console.house.database).write(
        "INSERT INTO contact_stops (stop_id, reason, stopped_by) VALUES ('STOP1', '线路故障', 'x')"
    )
    asked = console.get(f"/policies?task_id={order.body.task_id}", "viewer", language="zh")
    assert "外呼已停：线路故障" in words_on(asked)
    assert "There is no task <script>." in words_on(console.get("/policies?task_id=<script>", "viewer"))


def test_an_edited_file_is_checked_and_not_saved(console: ConsoleClient) -> None:
    usable = console.post("/policies/check", "developer", name="contact", text=f"{CONTACT}\n")
    wrong = console.post("/policies/check", "developer", name="contact", text="policies: {always_open: 1}")
    assert "It can be used. Nothing was saved" in words_on(usable)
    assert wrong.status_code == 422
    assert "contact.yaml" in words_on(wrong)
    assert "policies: {always_open: 1}" in words_on(wrong)
    assert "/tmp" not in wrong.text


def test_what_would_cost_far_more_to_read_than_its_length_is_refused(console: ConsoleClient) -> None:
    folded = "a: &a [x, x]\nb: &b [*a, *a]\n"
    deep = "[" * 50_000
    for path in ("/policies/check", "/policies/scripts/check"):
        for text, said in ((folded, "an alias (*name) stands here"), (deep, "levels deep")):
            page = console.post(path, "developer", name="contact", text=text)
            assert page.status_code == 422
            assert said in words_on(page)


def test_who_may_not_send_definitions_sees_no_form_and_is_refused(console: ConsoleClient) -> None:
    for path in ("/policies", "/policies/scripts"):
        assert "<textarea" not in console.get(path, "viewer").text
        assert "<textarea" in console.get(path, "developer").text
        assert console.post(f"{path}/check", "viewer", text="x").status_code == 403


def test_a_script_is_shown_as_customers_hear_it_with_the_parts_of_its_text(console: ConsoleClient) -> None:
    page = words_on(console.get("/policies/scripts", "viewer"))
    assert "pending_task_v1:1" in page
    assert "您的家电服务单（未上门）" in page
    assert "charged as 1" in page


def test_an_edited_script_is_said_as_it_would_be(console: ConsoleClient) -> None:
    edited = SCRIPT.replace("version: 1", "version: 2").replace("请直接回复。", "请回复是或否。")
    page = console.post("/policies/scripts/check", "developer", text=edited)
    assert page.status_code == 200
    assert "pending_task_v1:2" in words_on(page)
    assert "请回复是或否。" in words_on(page)


def test_a_script_that_cannot_be_used_says_why_and_keeps_what_was_typed(console: ConsoleClient) -> None:
    page = console.post("/policies/scripts/check", "developer", text="version: <script>")
    assert page.status_code == 422
    assert "script.yaml" in words_on(page)
    assert "version: &lt;script&gt;" in page.text
    empty = console.post("/policies/scripts/check", "developer", text=" ")
    assert empty.status_code == 422
    assert "Choose a file and paste what is in it." in words_on(empty)
