"""Aliyun's calls: what is placed, what keys and codes mean, and why no call is ever placed twice."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.orders.contact import Channel, ContactResult
from tests.support.providers.aliyun import KEY_ID, KEY_SECRET, Aliyun, refused
from tests.support.providers.server import DROP, serving
from tests.support.sought_contact import sought
from tests.support.tools.asking import KEY, NUMBER, SCRIPT, request
from tools.channels.aliyun.api import AliyunApi
from tools.channels.aliyun.signature import AccessKey
from tools.channels.aliyun.voice import AliyunVoice, VoiceAccount, result_of, whole_seconds
from tools.channels.contract import Accepted, ContactFound, NotSent, Rejected, Unknown, Unreachable
from tools.channels.reference import REFERENCE_LENGTH, extend_code_of, reference_of
from tools.channels.script import Template

PHONE = Channel.PHONE
KEYS = {"1": "可以上门", "3": "不用了，取消吧"}
ACCOUNT = VoiceAccount({SCRIPT: Template("TTS_1", ("product",))}, "05712345678", 3, KEYS)


@pytest.fixture
def aliyun() -> Aliyun:
    return Aliyun()


@pytest.fixture
def channel(aliyun: Aliyun) -> Iterator[AliyunVoice]:
    with serving(aliyun) as address:
        api = AliyunApi(address, AccessKey(KEY_ID, KEY_SECRET), setting="phone")
        yield (opened := AliyunVoice(api, ACCOUNT))
        opened.close()


def test_a_call_is_placed_with_a_short_name_of_its_key(aliyun: Aliyun, channel: AliyunVoice) -> None:
    assert channel.send(request(PHONE)) == Accepted(aliyun.call_id(0), duplicate=False)
    assert aliyun.calls == [
        {
            "CalledNumber": NUMBER,
            "CalledShowNumber": "05712345678",
            "TtsCode": "TTS_1",
            "TtsParam": '{"product": "空调"}',
            "PlayTimes": "3",
            "OutId": reference_of(KEY),
        }
    ]


def test_a_landline_is_dialled_with_its_area_code(aliyun: Aliyun, channel: AliyunVoice) -> None:
    channel.send(request(PHONE, to="+8657128001234"))
    assert aliyun.calls[0]["CalledNumber"] == "057128001234"


@given(st.text())
def test_a_short_name_fits_and_is_the_same_for_the_same_key(key: str) -> None:
    assert len(reference_of(key)) == REFERENCE_LENGTH
    assert reference_of(key) == reference_of(key)
    assert len(extend_code_of(key)) == 4


def test_a_limit_has_placed_nothing_and_an_illegal_number_is_final(
    aliyun: Aliyun, channel: AliyunVoice
) -> None:
    aliyun.faults += [refused("isv.BUSINESS_LIMIT_CONTROL"), refused("isv.MOBILE_NUMBER_ILLEGAL")]
    assert isinstance(channel.send(request(PHONE)), NotSent)
    assert isinstance(channel.send(request(PHONE)), Rejected)


def test_a_call_whose_answer_was_lost_is_never_said_to_be_absent(
    aliyun: Aliyun, channel: AliyunVoice
) -> None:
    aliyun.faults.append(DROP)
    assert isinstance(channel.send(request(PHONE)), Unknown)
    assert isinstance(channel.query(sought(KEY, age_seconds=10_000), timeout_seconds=5), Unreachable)
    assert aliyun.queries == []


def test_a_call_under_way_is_found_without_a_result(aliyun: Aliyun, channel: AliyunVoice) -> None:
    channel.send(request(PHONE))
    placed = sought(KEY, provider_id=aliyun.call_id(0))
    assert channel.query(placed, timeout_seconds=5) == ContactFound(aliyun.call_id(0), None)


def test_a_call_that_has_ended_is_found_with_what_was_pressed(aliyun: Aliyun, channel: AliyunVoice) -> None:
    aliyun.ended["c"] = {"state": "200000", "endDate": "2026-03-16 09:00:40", "duration": 40, "dtmf": "1"}
    found = channel.query(sought(KEY, provider_id="c"), timeout_seconds=5)
    assert isinstance(found, ContactFound)
    assert found.report is not None
    assert (found.report.result, found.report.transcript) == (ContactResult.ANSWERED, "可以上门")
    assert found.report.duration_seconds == 40


@pytest.mark.parametrize(
    ("code", "result"), [("200002", ContactResult.BUSY), ("200004", ContactResult.INVALID_NUMBER)]
)
def test_a_call_that_nobody_took_is_found_with_its_result_though_its_record_has_no_end(
    aliyun: Aliyun, channel: AliyunVoice, code: str, result: ContactResult
) -> None:
    aliyun.ended["c"] = {"state": code, "endDate": "", "duration": 0}
    found = channel.query(sought(KEY, provider_id="c"), timeout_seconds=5)
    assert isinstance(found, ContactFound)
    assert found.report is not None
    assert found.report.result is result


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("200000", ContactResult.EXPIRED),
        ("200001", ContactResult.EXPIRED),
        ("200002", ContactResult.BUSY),
        ("200003", ContactResult.NO_ANSWER),
        ("200004", ContactResult.INVALID_NUMBER),
        ("200005", ContactResult.NO_ANSWER),
        ("200010", ContactResult.POWER_OFF),
        ("200011", ContactResult.SUSPENDED_NUMBER),
        ("299999", ContactResult.NO_ANSWER),
    ],
)
def test_a_code_means_what_it_is_documented_to_mean(code: str, result: ContactResult) -> None:
    assert result_of(code, None, "", KEYS) == (result, "")


def test_what_was_heard_before_a_call_was_taken_tells_why_it_was_not() -> None:
    assert result_of("200003", "200011", "", KEYS) == (ContactResult.SUSPENDED_NUMBER, "")


@pytest.mark.parametrize(
    ("pressed", "words"), [("1", "可以上门"), ("13", "不用了，取消吧"), ("19", "可以上门")]
)
def test_the_last_key_that_means_something_is_what_the_customer_says(pressed: str, words: str) -> None:
    assert result_of("200000", None, pressed, KEYS) == (ContactResult.ANSWERED, words)


def test_a_key_without_a_meaning_is_no_answer() -> None:
    assert result_of("200000", None, "9", KEYS) == (ContactResult.EXPIRED, "")


@pytest.mark.parametrize(
    ("value", "seconds"), [("10", 10), (0, 0), ("10秒", None), (True, None), (None, None), ("99999", 86_400)]
)
def test_a_duration_is_read_as_a_number_or_not_at_all(value: object, seconds: int | None) -> None:
    assert whole_seconds(value) == seconds
