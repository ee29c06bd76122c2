"""The callback's signature and the report inside it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.orders.contact import ContactResult
from tools.channels.signature import ReportError, SignatureError, parse_report, sign, verify

NOW = 1_773_622_800
REPORT: dict[str, object] = {
    "event_id": "e1",
    "key": "k1",
    "provider_id": "p1",
    "channel": "phone",
    "status": "completed",
    "result": "answered",
    "transcript": "可以上门。",
    "duration_seconds": 42,
    "recording_url": None,
    "occurred_at": "2026-03-16T09:00:00+08:00",
}


@given(body=st.binary(), secret=st.text(min_size=1), drift=st.integers(-300, 300))
def test_what_is_signed_verifies_within_the_tolerance(body: bytes, secret: str, drift: int) -> None:
    verify([secret], timestamp=str(NOW), signature=sign(secret, NOW, body), body=body, now=NOW + drift)


@given(body=st.binary(), other=st.binary())
def test_another_body_does_not_verify(body: bytes, other: bytes) -> None:
    signature = sign("secret", NOW, body)
    if body != other:
        with pytest.raises(SignatureError):
            verify(["secret"], timestamp=str(NOW), signature=signature, body=other, now=NOW)


@pytest.mark.parametrize("drift", [-301, 301])
def test_a_stale_or_future_timestamp_does_not_verify(drift: int) -> None:
    with pytest.raises(SignatureError, match="seconds from now"):
        verify(["s"], timestamp=str(NOW), signature=sign("s", NOW, b"{}"), body=b"{}", now=NOW + drift)


def test_the_timestamp_is_part_of_what_is_signed() -> None:
    with pytest.raises(SignatureError):
        verify(["s"], timestamp=str(NOW + 1), signature=sign("s", NOW, b"{}"), body=b"{}", now=NOW)


def test_the_old_secret_verifies_while_it_is_being_changed() -> None:
    verify(["new", "old"], timestamp=str(NOW), signature=sign("old", NOW, b"{}"), body=b"{}", now=NOW)


@pytest.mark.parametrize("secrets", [[], [""]])
def test_no_secret_verifies_nothing(secrets: list[str]) -> None:
    with pytest.raises(SignatureError):
        verify(secrets, timestamp=str(NOW), signature=sign("", NOW, b"{}"), body=b"{}", now=NOW)


@given(timestamp=st.text(), signature=st.text())
def test_headers_of_any_text_end_in_a_signature_error(timestamp: str, signature: str) -> None:
    with pytest.raises(SignatureError):
        verify(["s"], timestamp=timestamp, signature=signature, body=b"{}", now=NOW)


def test_a_report_is_read_field_by_field() -> None:
    report = parse_report(json.dumps(REPORT).encode())
    assert (report.key, report.result, report.duration_seconds) == ("k1", ContactResult.ANSWERED, 42)
    assert report.occurred_at is not None
    assert report.occurred_at.isoformat() == REPORT["occurred_at"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_id", ""),
        ("key", None),
        ("provider_id", "a\x00"),
        ("channel", "fax"),
        ("result", "maybe"),
        ("result", ["answered"]),
        ("transcript", 7),
        ("duration_seconds", True),
        ("duration_seconds", -1),
        ("recording_url", {}),
        ("occurred_at", "2026-03-16T09:00:00"),
        ("occurred_at", "yesterday"),
    ],
)
def test_a_bad_report_names_the_field(field: str, value: object) -> None:
    with pytest.raises(ReportError) as caught:
        parse_report(json.dumps(REPORT | {field: value}).encode())
    assert caught.value.field == field


@given(st.binary())
def test_any_bytes_are_a_report_or_a_report_error(body: bytes) -> None:
    with pytest.raises(ReportError):
        parse_report(body)


def test_a_transcript_that_no_database_stores_is_kept_without_the_offence() -> None:
    body = json.dumps(REPORT | {"transcript": "可以\x00\ud800上门"}).encode()
    assert parse_report(body).transcript == "可以?上门"
