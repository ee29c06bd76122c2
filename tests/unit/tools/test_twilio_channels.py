"""Twilio's messages and calls: what is made, what each answer leaves certain, and what is found afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest

from schemas.orders.contact import Channel, ContactResult
from tests.support.providers.server import DROP, Answered, Fault, serving
from tests.support.providers.twilio import SID, TOKEN, Twilio, refused
from tests.support.sought_contact import sought
from tests.support.tools.asking import KEY, NUMBER, SCRIPT, request
from tools.channels.contract import (
    Absent,
    Accepted,
    ChannelGateway,
    ContactFound,
    NotSent,
    Rejected,
    Unknown,
    Unreachable,
)
from tools.channels.twilio.api import TwilioAccount, TwilioApi
from tools.channels.twilio.calls import CallSender, TwilioCalls, result_of
from tools.channels.twilio.messages import MessageSender, TwilioMessages

URL = "https://api.example/v1/webhooks/contact/twilio"
WORDS = {SCRIPT: '您的{product}("{order_type}") <现在> 可以上门吗？{unknown}'}
SPOKEN = '您的空调("已上门") <现在> 可以上门吗？'


@dataclass(slots=True)
class TwilioLine:
    """Both gateways of one account."""

    twilio: Twilio
    messages: TwilioMessages
    calls: TwilioCalls

    def of(self, channel: Channel) -> tuple[ChannelGateway, str]:
        """The channel's gateway, and what Twilio calls the resource."""
        return (self.messages, "Messages") if channel is Channel.SMS else (self.calls, "Calls")


@pytest.fixture
def line() -> Iterator[TwilioLine]:
    twilio = Twilio()
    with serving(twilio) as address:
        api = TwilioApi(address, TwilioAccount(SID, TOKEN), setting="twilio")
        yield TwilioLine(
            twilio,
            TwilioMessages(api, MessageSender("+15005550006", WORDS, URL)),
            TwilioCalls(api, CallSender("+15005550006", WORDS, URL)),
        )
        api.close()


both = pytest.mark.parametrize("channel", [Channel.SMS, Channel.PHONE])


def test_a_message_carries_its_text_and_its_key_in_the_callbacks_address(line: TwilioLine) -> None:
    assert line.messages.send(request(Channel.SMS)) == Accepted(f"SM{0:032x}", duplicate=False)
    assert line.twilio.forms["Messages"] == [
        {
            "To": f"+86{NUMBER}",
            "From": "+15005550006",
            "Body": SPOKEN,
            "StatusCallback": f"{URL}?key={KEY}",
        }
    ]


def test_a_messaging_service_sends_under_its_name(line: TwilioLine) -> None:
    service = "MG" + "0" * 32
    line.messages._sender = MessageSender(service, WORDS, URL)
    line.messages.send(request(Channel.SMS))
    assert line.twilio.forms["Messages"][0]["MessagingServiceSid"] == service


def test_a_call_speaks_the_text_and_waits_for_words(line: TwilioLine) -> None:
    assert line.calls.send(request(Channel.PHONE)) == Accepted(f"CA{0:032x}", duplicate=False)
    form = line.twilio.forms["Calls"][0]
    gather = ET.fromstring(form["Twiml"]).find("Gather")
    assert gather is not None
    assert gather.findtext("Say") == SPOKEN
    assert gather.get("language") == "zh-CN"
    assert parse_qs(urlsplit(gather.get("action", "")).query) == {"key": [KEY], "stage": ["answer"]}
    assert form["StatusCallback"] == f"{URL}?key={KEY}"
    assert form["MachineDetection"] == "Enable"


@both
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (refused(429, 20429, **{"Retry-After": "2"}), NotSent),
        (refused(401, 20003), NotSent),
        (refused(400, 21211), Rejected),
        (refused(400, 21610), Rejected),
        (refused(403, 21408), Rejected),
        (refused(500, 20500), Unknown),
        (refused(503, 20503), Unknown),
        (refused(400, None), Unknown),
        (Fault(instead=Answered(404, b"<html>")), Unknown),
        (Fault(instead=Answered(201, b"{}")), Unknown),
        (DROP, Unknown),
    ],
)
def test_a_code_leaves_certain_what_it_is_documented_to(
    line: TwilioLine, channel: Channel, fault: Fault, outcome: type[object]
) -> None:
    line.twilio.faults.append(fault)
    gateway, _ = line.of(channel)
    assert isinstance(gateway.send(request(channel)), outcome)


def test_a_refusal_for_pace_says_how_long_to_wait(line: TwilioLine) -> None:
    line.twilio.faults.append(refused(429, 20429, **{"Retry-After": "2"}))
    outcome = line.messages.send(request(Channel.SMS))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_after_seconds == 2.0


@both
def test_an_answer_after_the_timeout_is_unknown_and_found_by_its_number(
    line: TwilioLine, channel: Channel
) -> None:
    gateway, kind = line.of(channel)
    line.twilio.faults.append(Fault(slow_seconds=1.0))
    assert isinstance(gateway.send(request(channel, timeout_seconds=0.3)), Unknown)
    found = gateway.query(sought(KEY, channel), timeout_seconds=5)
    assert found == ContactFound(line.twilio.made[kind][0]["sid"], None)


@both
def test_a_person_who_answered_stop_is_said_to_have_opted_out(line: TwilioLine, channel: Channel) -> None:
    gateway, _ = line.of(channel)
    line.twilio.faults.append(refused(400, 21610))
    outcome = gateway.send(request(channel))
    assert isinstance(outcome, Rejected)
    assert outcome.opted_out


@both
def test_two_to_the_same_number_cannot_be_told_apart(line: TwilioLine, channel: Channel) -> None:
    gateway, _ = line.of(channel)
    gateway.send(request(channel))
    gateway.send(request(channel, key="HT2.1.1"))
    assert isinstance(gateway.query(sought(KEY, channel, age_seconds=1000), timeout_seconds=5), Unreachable)


@both
def test_an_older_one_to_the_number_is_not_this_one(line: TwilioLine, channel: Channel) -> None:
    gateway, kind = line.of(channel)
    gateway.send(request(channel))
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    line.twilio.made[kind][0]["date_created"] = format_datetime(an_hour_ago)
    assert gateway.query(sought(KEY, channel, age_seconds=181), timeout_seconds=5) == Absent()


@both
@pytest.mark.parametrize("behind", [timedelta(minutes=5), timedelta(minutes=-5)], ids=["behind", "ahead"])
def test_one_is_found_though_the_providers_clock_and_ours_differ(
    line: TwilioLine, channel: Channel, behind: timedelta
) -> None:
    gateway, kind = line.of(channel)
    line.twilio.behind = behind
    gateway.send(request(channel))
    found = gateway.query(sought(KEY, channel, age_seconds=2), timeout_seconds=5)
    assert found == ContactFound(line.twilio.made[kind][0]["sid"], None)


@both
def test_one_with_a_date_that_nobody_can_read_may_be_this_one(line: TwilioLine, channel: Channel) -> None:
    gateway, kind = line.of(channel)
    gateway.send(request(channel))
    line.twilio.made[kind][0]["date_created"] = "1 Jan 99999999999999999999 00:00:00 GMT"
    assert gateway.query(sought(KEY, channel, age_seconds=181), timeout_seconds=5) != Absent()


@both
@pytest.mark.parametrize(("age", "outcome"), [(179, Unreachable), (181, Absent)])
def test_nothing_is_absent_before_a_request_on_its_way_must_have_arrived(
    line: TwilioLine, channel: Channel, age: float, outcome: type[object]
) -> None:
    gateway, _ = line.of(channel)
    assert isinstance(gateway.query(sought(KEY, channel, age_seconds=age), timeout_seconds=5), outcome)


@both
@pytest.mark.parametrize("fault", [DROP, refused(500, 20500), refused(429, 20429), refused(404, None)])
def test_a_query_without_an_answer_leaves_it_open(line: TwilioLine, channel: Channel, fault: Fault) -> None:
    gateway, _ = line.of(channel)
    line.twilio.faults += [fault, fault]
    for name in (None, "SM1"):
        old = sought(KEY, channel, age_seconds=1000, provider_id=name)
        assert isinstance(gateway.query(old, timeout_seconds=5), Unreachable)


@both
def test_a_name_that_twilio_denies_is_absent(line: TwilioLine, channel: Channel) -> None:
    gateway, _ = line.of(channel)
    assert gateway.query(sought(KEY, channel, provider_id="XX1"), timeout_seconds=5) == Absent()


@both
@pytest.mark.parametrize("status", ["queued", "ringing", "in-progress", "sending", "sent"])
def test_what_is_under_way_is_found_without_a_result(line: TwilioLine, channel: Channel, status: str) -> None:
    gateway, kind = line.of(channel)
    gateway.send(request(channel))
    made = line.twilio.made[kind][0]
    made["status"] = status
    named = sought(KEY, channel, provider_id=made["sid"])
    assert gateway.query(named, timeout_seconds=5) == ContactFound(made["sid"], None)


@pytest.mark.parametrize(
    ("channel", "status", "answered_by", "result"),
    [
        (Channel.SMS, "delivered", None, ContactResult.DELIVERED),
        (Channel.SMS, "undelivered", None, ContactResult.UNDELIVERED),
        (Channel.PHONE, "busy", None, ContactResult.BUSY),
        (Channel.PHONE, "no-answer", None, ContactResult.NO_ANSWER),
        (Channel.PHONE, "completed", "human", ContactResult.EXPIRED),
        (Channel.PHONE, "completed", "machine_start", ContactResult.VOICEMAIL),
    ],
)
def test_what_has_ended_is_found_with_its_result(
    line: TwilioLine, channel: Channel, status: str, answered_by: str | None, result: ContactResult
) -> None:
    gateway, kind = line.of(channel)
    gateway.send(request(channel))
    made = line.twilio.made[kind][0]
    made |= {"status": status, "answered_by": answered_by, "duration": "12"}
    found = gateway.query(sought(KEY, channel, provider_id=made["sid"]), timeout_seconds=5)
    assert isinstance(found, ContactFound)
    assert found.report is not None
    assert found.report.result is result


def test_a_number_no_carrier_knows_is_invalid() -> None:
    assert result_of("failed", "", "404") is ContactResult.INVALID_NUMBER
    assert result_of("failed", "", "503") is ContactResult.NO_ANSWER


@both
def test_a_number_or_a_script_that_cannot_be_used_is_refused_before_anything_leaves(
    line: TwilioLine, channel: Channel
) -> None:
    gateway, kind = line.of(channel)
    assert isinstance(gateway.send(request(channel, to="138****9999")), Rejected)
    assert isinstance(gateway.send(request(channel, script_id="another")), Rejected)
    assert line.twilio.made[kind] == []


@both
def test_nothing_that_is_shown_holds_the_token_or_a_number(line: TwilioLine, channel: Channel) -> None:
    gateway, _ = line.of(channel)
    line.twilio.faults.append(refused(400, 21211))
    shown = f"{gateway!r} {TwilioAccount(SID, TOKEN)!r} {gateway.send(request(channel))!r}"
    assert TOKEN not in shown
    assert NUMBER not in shown
