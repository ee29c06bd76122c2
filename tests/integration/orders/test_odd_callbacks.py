"""Odd callbacks of providers, and what is shown of all of it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.support.factories import READY
from tests.support.orders.real_providers import PUSH_TOKEN, ApiWithProviders, opened, texted
from tests.support.providers.aliyun import KEY_SECRET, refused
from tests.support.providers.twilio import TOKEN


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[ApiWithProviders]:
    with opened(database_url, tmp_path) as office:
        yield office


GARBAGE = [b"", b"\x00", b"[", b"[[]]", b"{}", b"\xff", b"[{}]" * 3, b'[{"biz_id": 1e400}]', b"[" * 60_000]


@pytest.mark.parametrize("body", GARBAGE)
def test_garbage_from_a_proven_sender_is_told_so(office: ApiWithProviders, body: bytes) -> None:
    answer = office.api.post(f"/webhooks/contact/aliyun/{PUSH_TOKEN}", None, content=body)
    assert answer.status_code in {200, 422}


@pytest.mark.parametrize(
    "odd",
    [
        {"biz_id": "\x00", "out_id": "\ud800"},
        {"sequence_id": 10**30, "phone_number": "\x00\ud800", "content": "\x00\ud800", "dest_code": "\x00"},
        {"call_id": "\x00", "end_time": "0001-01-01 00:00:00", "out_id": "\x00", "duration": 10**30},
        {"biz_id": "b" * 1000, "out_id": "k" * 1000, "report_time": "9999-99-99"},
    ],
)
def test_an_odd_report_is_kept_and_the_others_count(office: ApiWithProviders, odd: dict[str, Any]) -> None:
    task_id = texted(office)
    body = json.dumps([odd, office.aliyun.reply("13800139999", READY)]).encode()
    assert office.api.post(f"/webhooks/contact/aliyun/{PUSH_TOKEN}", None, content=body).status_code == 200
    office.house.run()
    assert office.house.order(task_id).finish_reason == "visit_arranged"
    assert len(office.kept()) == 3


def test_neither_secrets_nor_numbers_are_logged(office: ApiWithProviders) -> None:
    office.aliyun.faults.append(refused("isv.SMS_TEMPLATE_ILLEGAL", "13800139999 refused"))
    with capture_logs() as lines:
        office.taken()
        office.call_back(office.twilio.call_state(0, "failed", SipResponseCode="404"))
        office.next_contact()
        office.push(office.aliyun.reply("13800139999", READY), token="guessed")
    assert lines
    shown = repr(lines)
    assert not any(word in shown for word in ("13800139999", PUSH_TOKEN, TOKEN, KEY_SECRET, "guessed"))
