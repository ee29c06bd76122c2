"""Orders through real providers' protocols: placed, called back, lost and found, and never contacted twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support.factories import READY
from tests.support.orders.real_providers import BASE, ApiWithProviders, opened, texted
from tests.support.orders.scripted_channel import make_due
from tests.support.providers.aliyun import pushed, refused
from tests.support.providers.server import DROP
from tests.support.providers.twilio import Call, received, signed


@pytest.fixture
def office(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> Iterator[ApiWithProviders]:
    """Calls through Twilio and texts through Aliyun, or the other way round where a test asks for it."""
    with opened(database_url, tmp_path, swapped=getattr(request, "param", None) == "swapped") as office:
        yield office


swapped = pytest.mark.parametrize("office", ["swapped"], indirect=True)


def test_a_called_customers_words_close_the_order(office: ApiWithProviders) -> None:
    task_id = office.taken()
    answer = office.call_back(office.twilio.said(0, READY))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"
    assert office.contacts(task_id)[0].provider_id == office.twilio.made["Calls"][0]["sid"]


def test_states_in_any_order_and_any_number_do_not_undo_an_answer(office: ApiWithProviders) -> None:
    task_id = office.taken()
    office.call_back(office.twilio.said(0, READY))
    for status in ("completed", "ringing", "completed", "in-progress", "busy"):
        assert office.call_back(office.twilio.call_state(0, status)).status_code == 200
    office.call_back(office.twilio.said(0, READY))
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"
    assert office.contacts(task_id)[0].contact_result == "answered"
    assert len(office.twilio.made["Calls"]) == 1


def test_words_that_come_after_the_end_of_the_call_still_count(office: ApiWithProviders) -> None:
    task_id = office.taken()
    office.call_back(office.twilio.call_state(0, "completed"))
    office.call_back(office.twilio.said(0, READY))
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"


def test_a_number_that_takes_no_calls_is_texted_and_its_reply_closes_the_order(
    office: ApiWithProviders,
) -> None:
    task_id = texted(office)
    delivered = office.aliyun.text_report(0)
    answer = office.push(delivered, delivered, office.aliyun.reply("13800139999", READY))
    assert (answer.status_code, answer.json()["code"]) == (200, 0)
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"
    assert [contact.contact_method for contact in office.contacts(task_id)] == ["phone", "sms"]


def test_a_repeated_push_changes_nothing(office: ApiWithProviders) -> None:
    task_id = texted(office)
    for _ in range(3):
        office.push(office.aliyun.text_report(0), office.aliyun.reply("+8613800139999", READY))
    office.house.run()
    assert office.house.events(task_id).count("user.responded") == 1
    assert len(office.aliyun.texts) == 1


def test_a_delivery_report_after_the_reply_does_not_undo_it(office: ApiWithProviders) -> None:
    task_id = texted(office)
    office.push(office.aliyun.reply("13800139999", READY))
    office.push(office.aliyun.text_report(0), office.aliyun.text_report(0, arrived=False))
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"
    assert office.contacts(task_id)[1].contact_result == "answered"


def test_a_reply_from_a_number_nobody_wrote_to_is_kept(office: ApiWithProviders) -> None:
    task_id = texted(office)
    assert office.push(office.aliyun.reply("13912345678", READY)).status_code == 200
    assert office.kept()[-1] == ("aliyun", "aliyun")
    assert office.house.order(task_id).status == "contacting"


def test_a_text_whose_answer_was_lost_is_found_and_not_sent_again(office: ApiWithProviders) -> None:
    task_id = office.taken()
    office.aliyun.faults.append(DROP)
    office.call_back(office.twilio.call_state(0, "failed", SipResponseCode="404"))
    office.next_contact()
    make_due(office.house)
    office.house.run()
    assert office.aliyun.queries == ["QuerySendDetails"]
    assert office.contacts(task_id)[1].status == "sent"
    assert len(office.aliyun.texts) == 1


def test_a_call_whose_answer_was_lost_is_found_and_not_placed_again(office: ApiWithProviders) -> None:
    office.twilio.faults.append(DROP)
    task_id = office.taken()
    make_due(office.house)
    office.house.run()
    assert office.contacts(task_id)[0].provider_id == office.twilio.made["Calls"][0]["sid"]
    office.call_back(office.twilio.said(0, READY))
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"
    assert len(office.twilio.made["Calls"]) == 1


@swapped
def test_a_call_that_nothing_can_look_up_is_settled_by_its_report_alone(office: ApiWithProviders) -> None:
    office.aliyun.faults.append(DROP)
    task_id = office.taken()
    for _ in range(3):
        make_due(office.house)
        office.house.run()
    assert office.contacts(task_id)[0].status == "sending"
    office.push(office.aliyun.call_report(0, "200000", pressed="1", seconds="40"))
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"
    assert len(office.aliyun.calls) == 1


@swapped
def test_a_limit_is_waited_out_and_the_call_is_placed_once(office: ApiWithProviders) -> None:
    office.aliyun.faults.append(refused("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1"))
    task_id = office.taken()
    assert office.contacts(task_id)[0].status == "refused"
    make_due(office.house)
    office.house.run()
    assert office.contacts(task_id)[0].status == "sent"
    assert len(office.aliyun.calls) == 1


@swapped
def test_a_message_from_a_customer_answers_the_last_text_to_their_number(office: ApiWithProviders) -> None:
    task_id = office.taken()
    office.push(office.aliyun.call_report(0, "200004"))
    office.next_contact()
    for status in ("delivered", "sent", "queued"):
        assert office.call_back(office.twilio.message_state(0, status)).status_code == 200
    inbound = received(f"{BASE}/webhooks/contact/twilio", "+8613800139999", READY)
    assert office.call_back(inbound).text == "<Response/>"
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"


def forged(office: ApiWithProviders) -> httpx2.Response:
    call = office.twilio.said(0, READY)
    fields = {"CallSid": office.twilio.made["Calls"][0]["sid"], "SpeechResult": READY}
    return office.call_back(signed(call.url, fields, token="another token"))


def moved_to_another_attempt(office: ApiWithProviders) -> httpx2.Response:
    call = office.twilio.said(0, READY)
    return office.call_back(Call(call.url.replace(".1.1", ".1.2"), call.body, call.headers))


def unsigned(office: ApiWithProviders) -> httpx2.Response:
    call = office.twilio.said(0, READY)
    return office.call_back(Call(call.url, call.body, {"Content-Type": call.headers["Content-Type"]}))


def to_another_address(office: ApiWithProviders) -> httpx2.Response:
    return office.push(office.aliyun.reply("13800139999", READY), token="guessed")


def to_no_address(office: ApiWithProviders) -> httpx2.Response:
    return office.api.post("/webhooks/contact/aliyun", None, content=pushed())


@pytest.mark.parametrize(
    "attempt", [forged, moved_to_another_attempt, unsigned, to_another_address, to_no_address]
)
def test_what_is_not_proved_is_refused_and_changes_nothing(office: ApiWithProviders, attempt: Any) -> None:
    task_id = office.taken()
    answer = attempt(office)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"
    assert office.kept() == []
    assert office.house.order(task_id).status == "contacting"
