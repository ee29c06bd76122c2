"""Aliyun's texts: what is sent, what each answer leaves certain, and what is found when an answer was lost."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from schemas.orders.contact import Channel, ContactResult
from tests.support.providers.aliyun import KEY_ID, KEY_SECRET, Aliyun, refused
from tests.support.providers.server import DROP, Answered, Fault, serving
from tests.support.sought_contact import sought
from tests.support.tools.asking import KEY, NUMBER, SCRIPT, request
from tools.channels.aliyun.api import AliyunApi
from tools.channels.aliyun.signature import AccessKey
from tools.channels.aliyun.sms import AliyunSms, SmsAccount
from tools.channels.contract import Absent, Accepted, ContactFound, NotSent, Rejected, Unknown, Unreachable
from tools.channels.reference import extend_code_of
from tools.channels.script import Template

SMS = Channel.SMS
ACCOUNT = SmsAccount("示例家电", {SCRIPT: Template("SMS_1", ("product",))}, sends_extend_code=True)


@pytest.fixture
def aliyun() -> Aliyun:
    return Aliyun()


@pytest.fixture
def channel(aliyun: Aliyun) -> Iterator[AliyunSms]:
    with serving(aliyun) as address, sms(address) as opened:
        yield opened


@contextmanager
def sms(address: str, secret: str = KEY_SECRET) -> Iterator[AliyunSms]:
    opened = AliyunSms(AliyunApi(address, AccessKey(KEY_ID, secret), setting="sms"), ACCOUNT)
    yield opened
    opened.close()


def test_a_text_is_sent_with_its_template_and_its_key(aliyun: Aliyun, channel: AliyunSms) -> None:
    assert channel.send(request(SMS)) == Accepted(aliyun.biz_id(0), duplicate=False)
    assert aliyun.texts == [
        {
            "PhoneNumbers": NUMBER,
            "SignName": "示例家电",
            "TemplateCode": "SMS_1",
            "TemplateParam": json.dumps({"product": "空调"}, ensure_ascii=False),
            "OutId": KEY,
            "SmsUpExtendCode": extend_code_of(KEY),
        }
    ]


@pytest.mark.parametrize(
    ("code", "message", "seconds"),
    [
        ("isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", 60),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5", 3600),
        ("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:40", 3600),
        ("isv.AMOUNT_NOT_ENOUGH", "账户余额不足", 300),
        ("InvalidTimeStamp.Expired", "", 300),
    ],
)
def test_a_limit_or_an_account_in_disorder_has_sent_nothing(
    aliyun: Aliyun, channel: AliyunSms, code: str, message: str, seconds: float
) -> None:
    aliyun.faults.append(refused(code, message))
    outcome = channel.send(request(SMS))
    assert isinstance(outcome, NotSent)
    assert outcome.retry_after_seconds == seconds


@pytest.mark.parametrize("status", [400, 429, 503])
def test_a_throttled_request_has_sent_nothing_and_waits_as_told(
    aliyun: Aliyun, channel: AliyunSms, status: int
) -> None:
    aliyun.faults.append(refused("Throttling.User", status=status, **{"Retry-After": "7"}))
    assert channel.send(request(SMS)) == NotSent(
        "the provider answered Throttling.User: Throttling.User", 7.0
    )


@pytest.mark.parametrize(
    "code", ["isv.MOBILE_NUMBER_ILLEGAL", "isv.SMS_TEMPLATE_ILLEGAL", "MissingParameter"]
)
def test_a_refusal_of_this_text_is_final(aliyun: Aliyun, channel: AliyunSms, code: str) -> None:
    aliyun.faults.append(refused(code, f"{NUMBER} is wrong"))
    outcome = channel.send(request(SMS))
    assert isinstance(outcome, Rejected)
    assert NUMBER not in outcome.reason


@pytest.mark.parametrize(
    "fault",
    [
        DROP,
        refused("isp.SYSTEM_ERROR"),
        refused("InternalError", status=500),
        refused("ServiceUnavailable", status=503),
        Fault(instead=Answered(502, b"<html>")),
        Fault(instead=Answered(404, b"<html>")),
        Fault(instead=Answered(200, b'{"Code": "OK"}')),
        Fault(instead=Answered(200, b"[]")),
    ],
)
def test_what_does_not_say_whether_it_was_sent_is_unknown(
    aliyun: Aliyun, channel: AliyunSms, fault: Fault
) -> None:
    aliyun.faults.append(fault)
    assert isinstance(channel.send(request(SMS)), Unknown)


def test_a_gateway_that_answers_429_has_sent_nothing(aliyun: Aliyun, channel: AliyunSms) -> None:
    aliyun.faults.append(Fault(instead=Answered(429, b"", {"Retry-After": "3"})))
    assert channel.send(request(SMS)) == NotSent("the provider answered 429 without a code", 3.0)


def test_an_answer_after_the_timeout_is_unknown(aliyun: Aliyun, channel: AliyunSms) -> None:
    aliyun.faults.append(Fault(slow_seconds=1.0))
    assert isinstance(channel.send(request(SMS, timeout_seconds=0.3)), Unknown)
    assert len(aliyun.texts) == 1


def test_a_refused_connection_has_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with sms(f"http://127.0.0.1:{port}") as channel:
        assert isinstance(channel.send(request(SMS)), NotSent)


@pytest.mark.parametrize("number", ["138****9999", "CUST1", "1380013800"])
def test_a_number_that_cannot_be_called_is_refused_before_anything_leaves(
    aliyun: Aliyun, channel: AliyunSms, number: str
) -> None:
    assert isinstance(channel.send(request(SMS, to=number)), Rejected)
    assert aliyun.texts == []


def test_a_script_without_a_template_is_refused_and_no_other_text_is_sent(
    aliyun: Aliyun, channel: AliyunSms
) -> None:
    assert isinstance(channel.send(request(SMS, script_id="another")), Rejected)
    assert aliyun.texts == []


def test_a_wrong_secret_is_an_account_in_disorder(aliyun: Aliyun) -> None:
    with serving(aliyun) as address, sms(address, "another secret") as channel:
        outcome = channel.send(request(SMS))
    assert isinstance(outcome, NotSent)
    assert "SignatureDoesNotMatch" in outcome.reason


def test_a_text_whose_answer_was_lost_is_found_by_its_key(aliyun: Aliyun, channel: AliyunSms) -> None:
    aliyun.faults.append(DROP)
    channel.send(request(SMS))
    assert channel.query(sought(KEY, SMS), timeout_seconds=5) == ContactFound(KEY, None)


@pytest.mark.parametrize(
    ("status", "result"), [("2", ContactResult.UNDELIVERED), ("3", ContactResult.DELIVERED)]
)
def test_a_text_that_has_ended_is_found_with_its_result(
    aliyun: Aliyun, channel: AliyunSms, status: str, result: ContactResult
) -> None:
    channel.send(request(SMS))
    aliyun.sent[KEY] = status
    found = channel.query(sought(KEY, SMS, provider_id="biz"), timeout_seconds=5)
    assert isinstance(found, ContactFound)
    assert found.report is not None
    assert (found.report.result, found.provider_id) == (result, "biz")


def test_a_text_of_another_attempt_to_the_number_is_not_this_one(channel: AliyunSms) -> None:
    channel.send(request(SMS, key="HT20260316001.1.2"))
    assert channel.query(sought(KEY, SMS, age_seconds=301), timeout_seconds=5) == Absent()


@pytest.mark.parametrize(("age", "outcome"), [(299, Unreachable), (301, Absent)])
def test_a_text_is_absent_only_once_it_must_be_listed(
    channel: AliyunSms, age: float, outcome: type[object]
) -> None:
    assert isinstance(channel.query(sought(KEY, SMS, age_seconds=age), timeout_seconds=5), outcome)


@pytest.mark.parametrize("fault", [DROP, refused("isp.SYSTEM_ERROR"), refused("Throttling.User", status=503)])
def test_a_query_without_an_answer_leaves_it_open(aliyun: Aliyun, channel: AliyunSms, fault: Fault) -> None:
    aliyun.faults.append(fault)
    old = sought(KEY, SMS, age_seconds=1000)
    assert isinstance(channel.query(old, timeout_seconds=5), Unreachable)


def test_a_day_with_more_texts_than_a_page_leaves_it_open(aliyun: Aliyun, channel: AliyunSms) -> None:
    page = {"Code": "OK", "TotalCount": 51, "SmsSendDetailDTOs": {"SmsSendDetailDTO": []}}
    aliyun.faults.append(Fault(instead=Answered(200, json.dumps(page).encode())))
    assert isinstance(channel.query(sought(KEY, SMS, age_seconds=1000), timeout_seconds=5), Unreachable)


def test_a_text_of_midnight_is_looked_for_on_both_days(aliyun: Aliyun, channel: AliyunSms) -> None:
    midnight = datetime(2026, 3, 15, 16, 0, tzinfo=UTC)
    begun = sought(KEY, SMS, begun_at=midnight - timedelta(seconds=5), age_seconds=1000)
    assert channel.query(begun, timeout_seconds=5) == Absent()
    assert aliyun.queries == ["QuerySendDetails"] * 2


def test_nothing_that_is_shown_holds_a_secret_or_a_number(aliyun: Aliyun, channel: AliyunSms) -> None:
    access = AccessKey(KEY_ID, KEY_SECRET)
    aliyun.faults.append(DROP)
    shown = f"{channel!r} {access!r} {sought(KEY, SMS)!r} {channel.send(request(SMS))!r}"
    assert KEY_SECRET not in shown
    assert NUMBER not in shown
