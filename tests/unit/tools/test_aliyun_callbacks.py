"""Aliyun's pushes: whose they are, and what each of the reports in one body says."""

import ipaddress
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.orders.contact import Channel, ContactResult
from tests.support.providers.aliyun import Aliyun, pushed
from tools.channels.aliyun.callbacks import AliyunReader
from tools.channels.callbacks import ByNumber, ByReference, CallbackReport, RawCallback
from tools.channels.reference import reference_of
from tools.channels.signature import ReportError, SignatureError

TOKEN = "a-long-secret-end"
READER = AliyunReader(TOKEN, keys={"1": "可以上门"})
ALIYUN = Aliyun(
    texts=[{"PhoneNumbers": "13800139999", "OutId": "HT1.1.3"}],
    calls=[{"CalledNumber": "13800139999", "OutId": reference_of("HT1.1.1")}],
)


def posted(body: bytes, **changes: Any) -> RawCallback:
    values: dict[str, Any] = {
        "url": "https://api.example/v1/webhooks/contact/aliyun",
        "headers": {},
        "query": {},
        "body": body,
        "token": TOKEN,
        "sender": "203.0.113.7",
        "now": 0.0,
    }
    return RawCallback(**(values | changes))


def read(*reports: dict[str, Any]) -> list[CallbackReport]:
    return list(READER.read(posted(pushed(*reports))).reported)


@pytest.mark.parametrize("token", ["", "another", TOKEN[:-1], "密", "\udcff"])
def test_a_push_to_another_address_is_not_aliyuns(token: str) -> None:
    with pytest.raises(SignatureError):
        READER.read(posted(pushed(), token=token))


def test_without_a_token_nothing_is_believed() -> None:
    with pytest.raises(SignatureError):
        AliyunReader("").read(posted(pushed(), token=""))


@pytest.mark.parametrize(
    ("sender", "believed"), [("203.0.113.7", True), ("198.51.100.1", False), ("", False), ("a host", False)]
)
def test_only_the_named_networks_may_push(sender: str, believed: bool) -> None:
    reader = AliyunReader(TOKEN, [ipaddress.ip_network("203.0.113.0/24")])
    if believed:
        assert reader.read(posted(pushed(), sender=sender)).reported == []
    else:
        with pytest.raises(SignatureError):
            reader.read(posted(pushed(), sender=sender))


def test_a_push_is_answered_as_aliyun_wants_it() -> None:
    reply = READER.read(posted(pushed())).reply
    assert reply is not None
    assert json.loads(reply.body)["code"] == 0


@pytest.mark.parametrize(
    ("arrived", "result"), [(True, ContactResult.DELIVERED), (False, ContactResult.UNDELIVERED)]
)
def test_a_delivery_report_names_its_attempt(arrived: bool, result: ContactResult) -> None:
    (one,) = read(ALIYUN.text_report(0, arrived=arrived))
    assert (one.report.key, one.report.result, one.trace) == ("HT1.1.3", result, None)
    assert one.report.occurred_at is not None
    assert one.report.occurred_at.isoformat() == "2026-03-16T09:00:03+08:00"


def test_a_reply_is_found_by_its_number() -> None:
    (one,) = read(ALIYUN.reply("13800139999", "可以\x00上门"))
    assert one.trace == ByNumber("13800139999", Channel.SMS, "1234")
    assert (one.report.result, one.report.transcript) == (ContactResult.ANSWERED, "可以上门")


def test_a_call_is_found_by_the_short_name_of_its_key() -> None:
    (one,) = read(ALIYUN.call_report(0, "200000", pressed="1", seconds="40"))
    assert one.trace == ByReference(reference_of("HT1.1.1"))
    assert (one.report.result, one.report.transcript) == (ContactResult.ANSWERED, "可以上门")
    assert one.report.duration_seconds == 40


def test_several_reports_keep_their_order_and_each_its_own_part_of_the_body() -> None:
    reports = [ALIYUN.reply("13800139999", "好", sequence=2), ALIYUN.text_report(0)]
    read_back = read(*reports)
    assert [one.report.result for one in read_back] == [ContactResult.ANSWERED, ContactResult.DELIVERED]
    assert [json.loads(one.raw or "") for one in read_back] == reports


def test_the_same_report_has_the_same_name_however_often_it_comes() -> None:
    first, second = read(ALIYUN.text_report(0)), read(ALIYUN.text_report(0))
    assert first[0].report.event_id == second[0].report.event_id
    assert read(ALIYUN.text_report(0, arrived=False))[0].report.event_id != first[0].report.event_id


def test_what_is_under_way_and_recordings_are_passed_over() -> None:
    ringing = {"call_id": "c", "status_code": "200101", "status_time": "2026-03-16 09:00:00"}
    recorded = ALIYUN.call_report(0, "200000") | {"record_file": "https://r.example/1"}
    assert read(ringing, recorded, {"SignName": "示例"}) == []


def test_one_odd_report_does_not_cost_the_others() -> None:
    odd: dict[str, Any] = {"biz_id": None, "out_id": ["x"]}
    assert [one.report.key for one in read(odd, ALIYUN.text_report(0))][1] == "HT1.1.3"


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_array_of_objects_is_told_so(body: bytes) -> None:
    with pytest.raises(ReportError):
        READER.read(posted(body))


fields = st.sampled_from(
    [
        "biz_id",
        "out_id",
        "sequence_id",
        "call_id",
        "end_time",
        "content",
        "phone_number",
        "report_time",
        "dtmf",
    ]
)
values = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text(), max_size=2)


@given(st.lists(st.dictionaries(fields, values), max_size=5))
def test_whatever_a_push_holds_its_names_can_be_stored(elements: list[dict[str, Any]]) -> None:
    for one in READER.read(posted(json.dumps(elements).encode())).reported:
        for name in (one.report.event_id, one.report.key, one.report.provider_id):
            assert 0 < len(name) <= 64
            assert name.isprintable()
        one.report.transcript.encode()
        assert "\x00" not in one.report.transcript


def test_a_reader_does_not_show_its_token() -> None:
    assert TOKEN not in repr(READER)
