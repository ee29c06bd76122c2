"""Twilio's callbacks: whose they are, and what each kind says."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.orders.contact import Channel, ContactResult
from tests.support.providers.twilio import TOKEN, Call, received, signed
from tools.channels.callbacks import ByNumber, CallbackContent, RawCallback
from tools.channels.signature import ReportError, SignatureError
from tools.channels.twilio.callbacks import TwilioReader
from tools.channels.twilio.signature import sign, verify

URL = "https://api.example/v1/webhooks/contact/twilio"
KEYED = f"{URL}?key=HT1.1.1"
READER = TwilioReader(TOKEN)
CALL = {"CallSid": "CA1", "CallStatus": "completed", "CallDuration": "42"}
MESSAGE = {"MessageSid": "SM1", "MessageStatus": "delivered"}


def read(call: Call, **changes: Any) -> CallbackContent:
    values: dict[str, Any] = {
        "url": call.url,
        "headers": call.headers,
        "query": dict(parse_qsl(urlsplit(call.url).query)),
        "body": call.body,
        "token": "",
        "sender": "203.0.113.7",
        "now": 0.0,
    }
    return READER.read(RawCallback(**(values | changes)))


def results(call: Call) -> list[ContactResult]:
    return [one.report.result for one in read(call).reported]


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": {}},
        {"headers": {"X-Twilio-Signature": "c29tZXRoaW5n"}},
        {"url": f"{URL}?key=HT2.1.1"},
        {"body": b"CallSid=CA1&CallStatus=busy"},
        {
            "headers": {
                "X-Twilio-Signature": "x",
                "X-Twilio-Webhooks-Signature-Settings": "algorithm=HMAC_MD5",
            }
        },
    ],
)
def test_what_the_accounts_token_did_not_sign_is_not_twilios(changes: dict[str, Any]) -> None:
    with pytest.raises(SignatureError):
        read(signed(KEYED, CALL), **changes)


def test_without_a_token_nothing_is_believed() -> None:
    call = signed(KEYED, CALL, token="")
    with pytest.raises(SignatureError):
        verify([""], url=call.url, form=[], signature=sign("", call.url, []))


@given(
    url=st.sampled_from([KEYED, URL, "http://127.0.0.1:8080/v1/x?a=b"]),
    form=st.dictionaries(st.text(), st.text(), max_size=5),
    token=st.text(min_size=1),
)
def test_what_is_signed_verifies_with_and_without_the_port(
    url: str, form: dict[str, str], token: str
) -> None:
    fields = list(form.items())
    parts = urlsplit(url)
    with_port = parts._replace(netloc=f"{parts.hostname}:{parts.port or 443}").geturl()
    for address in (url, with_port):
        verify([token], url=url, form=fields, signature=sign(token, address, fields))


def test_a_shared_key_signs_with_sha256() -> None:
    form = [("CallSid", "CA1")]
    settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    verify([TOKEN], url=URL, form=form, signature=sign(TOKEN, URL, form, "HMAC_SHA256"), settings=settings)


@pytest.mark.parametrize("status", ["queued", "initiated", "ringing", "in-progress", "new-state"])
def test_a_call_under_way_reports_nothing(status: str) -> None:
    assert results(signed(KEYED, CALL | {"CallStatus": status})) == []


@pytest.mark.parametrize("status", ["queued", "accepted", "sending", "sent"])
def test_a_message_under_way_reports_nothing(status: str) -> None:
    assert results(signed(KEYED, MESSAGE | {"MessageStatus": status})) == []


@pytest.mark.parametrize(
    ("fields", "result"),
    [
        (CALL, ContactResult.EXPIRED),
        (CALL | {"AnsweredBy": "machine_end_beep"}, ContactResult.VOICEMAIL),
        (CALL | {"CallStatus": "busy"}, ContactResult.BUSY),
        (CALL | {"CallStatus": "failed", "SipResponseCode": "404"}, ContactResult.INVALID_NUMBER),
        (MESSAGE, ContactResult.DELIVERED),
        (MESSAGE | {"MessageStatus": "undelivered", "ErrorCode": "30005"}, ContactResult.UNDELIVERED),
    ],
)
def test_a_last_state_reports_the_attempt_in_its_address(
    fields: dict[str, str], result: ContactResult
) -> None:
    (one,) = read(signed(KEYED, fields)).reported
    assert (one.report.key, one.report.result, one.trace) == ("HT1.1.1", result, None)


def test_a_calls_duration_is_read() -> None:
    (one,) = read(signed(KEYED, CALL)).reported
    assert one.report.duration_seconds == 42


def test_what_a_called_customer_said_is_the_answer_and_they_are_thanked() -> None:
    said = signed(f"{KEYED}&stage=answer", CALL | {"SpeechResult": "可以上门", "CallStatus": "in-progress"})
    reading = read(said)
    assert [(one.report.result, one.report.transcript) for one in reading.reported] == [
        (ContactResult.ANSWERED, "可以上门")
    ]
    assert reading.reply is not None
    assert "<Hangup/>" in reading.reply.body


def test_a_machines_greeting_is_no_answer() -> None:
    fields = CALL | {"SpeechResult": "请留言", "AnsweredBy": "machine_start"}
    assert results(signed(f"{KEYED}&stage=answer", fields)) == [ContactResult.VOICEMAIL]


def test_silence_reports_nothing_until_the_call_has_ended() -> None:
    assert results(signed(f"{KEYED}&stage=answer", CALL | {"SpeechResult": " "})) == []


def test_a_message_from_a_customer_is_found_by_its_number() -> None:
    reading = read(received(URL, "+8613800139999", "明天可以"))
    (one,) = reading.reported
    assert one.trace == ByNumber("+8613800139999", Channel.SMS)
    assert one.report.transcript == "明天可以"
    assert reading.reply is not None
    assert reading.reply.body == "<Response/>"


def test_each_state_has_a_name_of_its_own_and_a_repeated_one_the_same() -> None:
    names = [
        read(signed(KEYED, MESSAGE | {"MessageStatus": status})).reported[0].report.event_id
        for status in ("delivered", "undelivered", "delivered")
    ]
    assert names[0] == names[2] != names[1]


@pytest.mark.parametrize(
    ("url", "fields"),
    [(URL, CALL), (URL, MESSAGE), (f"{URL}?key={'k' * 65}", CALL), (KEYED, {"From": "+1"}), (KEYED, {})],
)
def test_a_callback_that_names_no_attempt_is_told_so(url: str, fields: dict[str, str]) -> None:
    with pytest.raises(ReportError):
        read(signed(url, fields))


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join([b"a=b"] * 300)])
def test_a_body_that_is_no_form_is_told_so(body: bytes) -> None:
    with pytest.raises(ReportError):
        read(signed(KEYED, CALL), body=body)


def test_a_reader_does_not_show_its_token() -> None:
    assert TOKEN not in repr(READER)
