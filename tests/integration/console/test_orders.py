"""Pages of orders: lists, one order with its evidence, what is done to it with a reason, and the overview's numbers."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from console.server.times import ZONE
from schemas.access.roles import Role
from statemachine.workflow.states import RunState
from storage.orders.contacts.do_not_call import DoNotCall
from storage.orders.figures.figures import Histogram
from storage.orders.order_view import OrderView
from tests.support.console.client import ConsoleClient, words_on
from tests.support.factories import CANCEL, PARTS_MISSING, READY, answered, silent, submission
from tests.support.in_process_fleet import InProcessFleet
from tests.support.outbound.webhook_sender import WebhookSenderAtWork

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def waiting(house: InProcessFleet) -> str:
    """An order that waits for its follow-up."""
    order = submission(answered(PARTS_MISSING), metadata={"pending_reason": SCRIPT, "product": SCRIPT})
    house.accept(order)
    house.run()
    return order.body.task_id


def lines(house: InProcessFleet, task_id: str, event_type: str) -> list[dict[str, object]]:
    with house.database.transaction() as work:
        found = OrderView(work).audit_lines(task_id)
    return [{"by": row["agent_id"], **row["metadata"]} for row in found if row["event_type"] == event_type]


def run_state(house: InProcessFleet, task_id: str) -> RunState:
    with house.database.transaction() as work:
        run = OrderView(work).run(house.order(task_id).run_id)
    assert run is not None
    return run.state


def test_a_list_says_what_orders_wait_for_and_how_many_there_are(
    console: ConsoleClient, waiting: str
) -> None:
    console.house.accept(submission(answered(READY), hold=True))
    console.house.run()
    page = console.get("/orders?wait=followup", "viewer")
    assert "1 orders" in words_on(page)
    assert waiting in page.text
    assert page.text.count("<tr><th scope") + page.text.count('<th scope="row">') == 2  # head and one row
    both = words_on(console.get("/orders?wait=open", "viewer", language="zh"))
    assert "共 2 单" in both
    assert "跟进时间" in both


def test_a_list_goes_on_behind_its_page_with_the_same_filters(console: ConsoleClient) -> None:
    console.house.accept(*(submission(answered(READY), hold=True) for _ in range(51)))
    page = console.get("/orders?status=pending", "viewer")
    assert "51 orders" in words_on(page)
    assert page.text.count('<th scope="row">') == 50
    (following,) = re.findall(r'href="/console(/orders\?status=pending&amp;cursor=[^"]+)"', page.text)
    last = console.get(following.replace("&amp;", "&"), "viewer")
    assert "51 orders" in words_on(last)
    assert last.text.count('<th scope="row">') == 1


def test_an_order_that_is_searched_for_by_its_name_is_opened(console: ConsoleClient, waiting: str) -> None:
    order_id = console.house.order(waiting).order_id
    for name in (waiting, order_id):
        found = console.get(f"/orders?q={name}", "viewer")
        assert (found.status_code, found.headers["location"]) == (303, f"/console/orders/{waiting}")
    assert "No order passes" in words_on(console.get("/orders?q=HT-other%00", "viewer"))


def test_a_place_that_is_none_is_refused(console: ConsoleClient) -> None:
    assert console.get("/orders?cursor=nonsense", "viewer").status_code == 422


def test_an_order_says_why_it_waits_and_shows_what_was_written_as_text(
    console: ConsoleClient, waiting: str
) -> None:
    page = console.get(f"/orders/{waiting}", "viewer")
    said = words_on(page)
    assert "waits for the follow-up time (等待跟进)" in said
    assert "The customer is contacted again when the agreed time has come." in said
    assert SCRIPT in said
    assert SCRIPT not in page.text
    assert PARTS_MISSING not in said
    assert f'data-live="{waiting} {console.house.order(waiting).run_id}"' in page.text
    chinese = words_on(console.get(f"/orders/{waiting}", "viewer", language="zh"))
    assert "到约定时间再联系客户。" in chinese
    number = console.house.order(waiting).phone
    assert number is not None
    assert number.removeprefix("+86") not in page.text
    assert console.get("/orders/HT-other", "viewer").status_code == 404


def test_each_attempt_shows_its_evidence(console: ConsoleClient, house: InProcessFleet) -> None:
    order = submission(silent(), answered(READY))
    house.accept(order)
    house.run_to_the_end()
    page = console.get(f"/orders/{order.body.task_id}", "viewer")
    evidence = page.text.partition('id="evidence"')[2].partition("</section>")[0]
    assert evidence.count('<th scope="row">') == 2
    assert "no answer" in evidence
    assert "answered" in evidence


def test_a_timeline_is_shown_by_lane_and_as_the_api_hands_it_out(
    console: ConsoleClient, waiting: str
) -> None:
    def timeline(query: str) -> str:
        page = console.get(f"/orders/{waiting}{query}", "viewer")
        return page.text.partition('id="timeline"')[2].partition("</section>")[0]

    everything, states = timeline(""), timeline("?lane=states")
    assert {"lane-states", "lane-contacts", "lane-steps", "lane-events", "lane-audit"} <= set(
        re.findall(r"badge (lane-\w+)", everything)
    )
    assert set(re.findall(r"badge (lane-\w+)", states)) == {"lane-states"}
    assert "contacting → responded" in states
    handed_out = console.get(f"/orders/{waiting}/dossier.json", "viewer").json()
    assert handed_out["order"]["task_id"] == waiting
    assert [contact["transcript"] for contact in handed_out["contacts"]] == ["…"]
    assert console.get("/orders/HT-other/dossier.json", "viewer").status_code == 404


def test_what_was_told_to_subscribers_has_a_lane_of_its_own(
    console: ConsoleClient, house: InProcessFleet
) -> None:
    office = WebhookSenderAtWork(house.database)
    subscriber = office.subscribe("http://127.0.0.1:1/")
    order = submission(answered(PARTS_MISSING))
    house.accept(order)
    house.run()
    office.feed(subscriber)
    page = console.get(f"/orders/{order.body.task_id}?lane=webhooks", "viewer")
    shown = page.text.partition('id="timeline"')[2].partition("</section>")[0]
    assert shown.count("badge lane-webhooks") == len(office.log(subscriber)) > 0
    assert subscriber in shown


def test_the_run_of_an_order_is_drawn(console: ConsoleClient, waiting: str) -> None:
    picture = console.get(f"/orders/{waiting}/diagram.svg", "viewer")
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert "等待跟进" in picture.text
    assert console.get("/orders/HT-other/diagram.svg", "viewer").status_code == 404


def test_an_order_is_paused_and_resumed_with_a_reason(console: ConsoleClient, waiting: str) -> None:
    path = f"/orders/{waiting}/steer"
    done = console.post(path, "operator", follow=False, verb="pause", reason="客户 13912345678 出差")
    assert done.headers["location"] == f"/console/orders/{waiting}?done=pause"
    assert "Paused." in words_on(console.get(f"/orders/{waiting}?done=pause", "operator"))
    assert run_state(console.house, waiting) is RunState.PAUSED
    (line,) = lines(console.house, waiting, "task_paused")
    assert line["by"] == "operator"
    assert line["reason"] == "客户 139****5678 出差"
    shown = console.get(f"/orders/{waiting}", "operator")
    assert 'value="resume"' in shown.text
    assert 'value="pause"' not in shown.text
    console.post(path, "operator", verb="resume", reason="回来了")
    assert run_state(console.house, waiting) is RunState.RUNNING


def test_an_order_is_cancelled_and_offers_nothing_more(console: ConsoleClient, waiting: str) -> None:
    console.post(f"/orders/{waiting}/steer", "operator", verb="cancel", reason="重复下单")
    assert console.house.order(waiting).finish_reason == "cancelled"
    shown = console.get(f"/orders/{waiting}", "operator")
    assert 'name="verb" value=' not in shown.text
    again = console.post(f"/orders/{waiting}/steer", "operator", verb="cancel", reason="再来")
    assert again.status_code == 409
    assert "It is so already" in words_on(again)
    assert 'value="再来"' in again.text


def test_nothing_is_done_without_a_reason_and_what_was_typed_stays(
    console: ConsoleClient, waiting: str
) -> None:
    page = console.post(f"/orders/{waiting}/steer", "operator", verb="priority", priority="7", reason=" ")
    assert page.status_code == 422
    assert "Say why." in words_on(page)
    assert "<option selected>7</option>" in page.text
    assert console.post(f"/orders/{waiting}/steer", "operator", verb="explode", reason="x").status_code == 422
    wrong = console.post(f"/orders/{waiting}/steer", "operator", verb="priority", priority="11", reason="急")
    assert "From 1 to 10." in words_on(wrong)
    assert 'value="急"' in wrong.text
    assert console.house.order(waiting).priority == 5


def test_a_priority_is_set_with_a_reason(console: ConsoleClient, waiting: str) -> None:
    console.post(f"/orders/{waiting}/steer", "operator", verb="priority", priority="9", reason="老客户")
    assert console.house.order(waiting).priority == 9
    (line,) = lines(console.house, waiting, "signal_received")
    assert (line["by"], line["reason"]) == ("operator", "老客户")


def test_a_cancellation_is_taken_back_while_it_waits(console: ConsoleClient, house: InProcessFleet) -> None:
    order = submission(answered(CANCEL))
    house.accept(order)
    house.run()
    name = order.body.task_id
    assert 'value="undo"' in console.get(f"/orders/{name}", "operator").text
    console.post(f"/orders/{name}/steer", "operator", verb="undo", reason="客户改了主意")
    (line,) = lines(house, name, "undo_requested")
    assert (line["by"], line["reason"]) == ("operator", "客户改了主意")
    refused = console.post(f"/orders/{name}/steer", "operator", verb="retry", reason="再试")
    assert refused.status_code == 409


def test_a_customer_is_barred_by_who_may_and_only_once(console: ConsoleClient, waiting: str) -> None:
    path = f"/orders/{waiting}/do-not-call"
    assert path not in console.get(f"/orders/{waiting}", "operator").text
    assert console.post(path, "operator", why="投诉").status_code == 403
    assert "Say why." in words_on(console.post(path, "manager", why=""))
    console.post(path, "manager", why="客户要求")
    console.post(path, "manager", why="再说一次")
    with console.house.database.transaction() as work:
        (entry,) = DoNotCall(work).list()
    assert (entry.added_by, entry.reason) == ("manager", "客户要求")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.REVIEWER, Role.DEVELOPER])
def test_who_may_not_steer_sees_no_button_and_is_refused(
    console: ConsoleClient, waiting: str, role: Role
) -> None:
    page = console.get(f"/orders/{waiting}", role.value)
    assert page.status_code == 200
    assert "/steer" not in page.text
    refused = console.post(f"/orders/{waiting}/steer", role.value, verb="cancel", reason="x")
    assert refused.status_code == 403
    assert console.house.order(waiting).finish_reason is None


def test_every_number_of_the_overview_opens_a_list_of_so_many_rows(
    console: ConsoleClient, waiting: str
) -> None:
    house = console.house
    house.accept(submission(answered(READY)), submission(silent(), silent()), submission(answered(CANCEL)))
    house.run()
    house.accept(submission(answered(READY)))
    page = console.get("/overview", "viewer")
    assert "adds up" in words_on(page)
    numbers = re.findall(r'href="/console(/(?:orders|contacts)[^"]*)">(\d+)</a>', page.text)
    assert len(numbers) > 12
    for address, number in numbers:
        shown = words_on(console.get(address.replace("&amp;", "&"), "viewer"))
        assert re.search(rf"\b{number} (orders|attempts)\b", shown), (address, number)


def test_the_overview_shows_queues_and_leads_who_decides_no_reviews_to_it(console: ConsoleClient) -> None:
    assert console.get("/", "viewer").headers["location"] == "/console/overview"
    assert console.get("/", "reviewer").headers["location"] == "/console/reviews"
    page = console.get("/overview", "viewer", language="zh")
    assert "contact" in page.text
    assert "工单账目" in words_on(page)
    console.house.wire.cut = True
    away = console.get("/overview", "viewer")
    assert away.status_code == 200
    assert "the broker does not answer" in words_on(away)


def test_a_follow_up_is_given_another_date_and_comes_then(console: ConsoleClient, waiting: str) -> None:
    house = console.house
    path, agreed = f"/orders/{waiting}/steer", house.order(waiting).next_contact_time
    assert agreed is not None
    later = agreed + timedelta(days=30)
    console.post(path, "operator", verb="date", day=later.date().isoformat(), reason="客户出国")
    moved = house.order(waiting).next_contact_time
    assert moved is not None
    assert moved.astimezone(ZONE).date() == later.date()
    (step,) = [each for each in house.steps(waiting) if each["state"] == "scheduled"]
    assert step["due_at"] == moved
    (line,) = lines(house, waiting, "followup_rescheduled")
    assert (line["by"], line["reason"]) == ("operator", "客户出国")
    house.run()
    assert house.leap()
    house.run()
    assert house.order(waiting).contacts_total == 2
    assert 'value="date"' not in console.get(f"/orders/{waiting}", "viewer").text


@pytest.mark.parametrize(
    ("day", "said"), [("soon", "This is no date."), ("2000-01-01", "This day has passed.")]
)
def test_a_date_that_cannot_be_is_refused_beside_its_field(
    console: ConsoleClient, waiting: str, day: str, said: str
) -> None:
    before = console.house.order(waiting).next_contact_time
    page = console.post(f"/orders/{waiting}/steer", "operator", verb="date", day=day, reason="改期")
    assert page.status_code == 422
    assert said in words_on(page)
    assert 'value="改期"' in page.text
    assert console.house.order(waiting).next_contact_time == before


def test_an_order_that_waits_for_no_follow_up_is_given_no_date(console: ConsoleClient) -> None:
    order = submission(answered(READY), hold=True)
    console.house.accept(order)
    path = f"/orders/{order.body.task_id}"
    assert 'value="date"' not in console.get(path, "operator").text
    refused = console.post(f"{path}/steer", "operator", verb="date", day="2100-01-01", reason="改期")
    assert refused.status_code == 409
    assert "It waits for no follow-up" in words_on(refused)


def test_the_overview_says_how_late_timers_were(console: ConsoleClient, waiting: str) -> None:
    assert "woken — — — 0" in words_on(console.get("/overview", "viewer"))
    assert console.house.leap()
    console.house.run()
    assert console.house.order(waiting).contacts_total == 2
    said = words_on(console.get("/overview", "viewer"))
    assert re.search(r"woken ≤ [\d.]+ s ≤ [\d.]+ s ≤ [\d.]+ s [1-9]", said), said


def test_a_share_lies_at_the_smallest_edge_that_holds_it() -> None:
    found = Histogram(at_most=(1, 3), counted=4, seconds=Decimal(9))
    edges = (0.5, 2.5)
    assert [found.edge_of(share, edges) for share in (0.25, 0.5, 0.75, 0.95)] == [0.5, 2.5, 2.5, None]
    assert Histogram(at_most=(0, 0), counted=0, seconds=Decimal()).edge_of(0.5, edges) is None
