"""The callback's signature (HMAC-SHA256 over timestamp and body) and the report inside it."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from schemas.orders.contact import Channel, ContactResult
from tools.channels.contract import ContactReport

TIMESTAMP_HEADER: Final = "X-Unpend-Timestamp"
SIGNATURE_HEADER: Final = "X-Unpend-Signature"
DEFAULT_TOLERANCE_SECONDS: Final = 300.0
_SCHEME: Final = "v1="
_LONGEST_NAME: Final = 64
"""Of event, key and provider id: what the database keeps of each."""
_LONGEST_TRANSCRIPT: Final = 20_000
_LONGEST_URL: Final = 255


class SignatureError(Exception):
    """The callback is not signed by the provider, or is too old; the message says which."""


class ReportError(Exception):
    """The callback's body is not a report.

    Attributes:
        field: The field at fault, `body` when it is no JSON object at all.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"contact report, field {field!r}: {problem}")
        self.field = field


def sign(secret: str, timestamp: int, body: bytes) -> str:
    """Return the signature header for this body at this time (Unix seconds)."""
    message = str(timestamp).encode() + b"." + body
    return _SCHEME + hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def verify(
    secrets: Sequence[str],
    *,
    timestamp: str,
    signature: str,
    body: bytes,
    now: float,
    tolerance_seconds: float = DEFAULT_TOLERANCE_SECONDS,
) -> None:
    """Check that the body was signed with one of the secrets within the tolerance of `now`.

    Args:
        secrets: One secret, or the old and the new one while it is being changed.
        timestamp: The timestamp header, as received.
        signature: The signature header, as received; several are separated by commas.
        body: The body's bytes, as received.
        now: The current time in Unix seconds.
        tolerance_seconds: How far the timestamp may lie from `now`, either way.

    Raises:
        SignatureError: A header is malformed, the timestamp is too far from now, or no signature fits.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):  # noqa: PLR2004 - year 33658
        raise SignatureError(f"{TIMESTAMP_HEADER} must hold Unix seconds")
    signed_at = int(timestamp)
    if abs(now - signed_at) > tolerance_seconds:
        raise SignatureError(
            f"{TIMESTAMP_HEADER} lies more than {tolerance_seconds:g} seconds from now: "
            "an old callback is being repeated, or a clock is wrong"
        )
    offered = [part.strip().encode() for part in signature.split(",")]
    expected = [sign(secret, signed_at, body).encode() for secret in secrets if secret]
    if not any(hmac.compare_digest(one, other) for one in expected for other in offered):
        raise SignatureError(
            f"{SIGNATURE_HEADER} does not fit the body: check the callback secret on both sides"
        )


def parse_report(body: bytes) -> ContactReport:
    """Parse the report in a callback's body.

    Raises:
        ReportError: The body is no JSON object, or a field is missing, of a wrong type or unknown value.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ReportError("body", "is not JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise ReportError("body", "must be a JSON object")
    return report_of(document)


def report_of(document: Mapping[str, object]) -> ContactReport:
    """Parse the report in a decoded JSON object; unknown fields are ignored, so that a provider may add some.

    Raises:
        ReportError: A field is missing, of a wrong type or of an unknown value.
    """
    return ContactReport(
        event_id=_name(document, "event_id"),
        key=_name(document, "key"),
        provider_id=_name(document, "provider_id"),
        channel=Channel(_one_of(document, "channel", tuple(Channel))),
        result=ContactResult(_one_of(document, "result", tuple(ContactResult))),
        transcript=_text(document, "transcript", _LONGEST_TRANSCRIPT) or "",
        duration_seconds=_duration(document),
        recording_url=_text(document, "recording_url", _LONGEST_URL),
        occurred_at=_moment(document),
    )


def _name(document: Mapping[str, object], field: str) -> str:
    value = document.get(field)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_NAME or not value.isprintable():
        raise ReportError(field, f"must be printable text of 1 to {_LONGEST_NAME} characters")
    return value


def _one_of(document: Mapping[str, object], field: str, choices: Sequence[str]) -> str:
    value = document.get(field)
    if not isinstance(value, str) or value not in choices:
        raise ReportError(field, f"must be one of {', '.join(choices)}")
    return value


def _text(document: Mapping[str, object], field: str, longest: int) -> str | None:
    value = document.get(field)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > longest:
        raise ReportError(field, f"must be text of at most {longest} characters, or null")
    # A customer's words are evidence: what no database can store is replaced, not refused.
    return value.replace("\x00", "").encode("utf-8", "replace").decode()


def _duration(document: Mapping[str, object]) -> int | None:
    value = document.get("duration_seconds")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 86_400:  # noqa: PLR2004 - a day
        raise ReportError("duration_seconds", "must be a whole number of seconds from 0 to 86400, or null")
    return value


def _moment(document: Mapping[str, object]) -> datetime | None:
    value = document.get("occurred_at")
    if value is None:
        return None
    problem = "must be an ISO 8601 time with an offset, as 2026-03-16T09:00:00+08:00, or null"
    if not isinstance(value, str):
        raise ReportError("occurred_at", problem)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ReportError("occurred_at", problem) from None
    if moment.tzinfo is None:
        raise ReportError("occurred_at", problem)
    return moment
