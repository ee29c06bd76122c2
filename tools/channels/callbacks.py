"""Provider callbacks: what arrives, how it is verified, the reports in it, and the HTTP answer."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from schemas.orders.contact import Channel
from tools.channels.contract import ContactReport
from tools.channels.signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, parse_report, verify

LARGEST_CALLBACK: Final = 65_536
"""Bytes a callback of one report may have."""

_STAND_IN_DIGITS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCallback:
    """A callback as received over HTTP.

    Attributes:
        url: The address as the provider knows it, query included.
        headers: Their names in any case.
        query: The address's query, decoded; of a name that occurs twice the last value.
        body: As received; it may name people.
        token: What the address ended in after the provider's name, empty without.
        sender: The address it came from.
        now: The current time in Unix seconds.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str]
    body: bytes = field(repr=False)
    token: str = field(repr=False)
    sender: str
    now: float


@dataclass(frozen=True, slots=True)
class ByReference:
    """Find the contact by the short reference of its key; see `reference_of`."""

    reference: str


@dataclass(frozen=True, slots=True)
class ByNumber:
    """Find the contact as the last one to this number by this channel.

    Attributes:
        number: Whose reply it is.
        channel: The way it came.
        sent_to: What the reply was sent to; where it ends in a contact's extend code it means that one.
    """

    number: str = field(repr=False)
    channel: Channel
    sent_to: str = ""


Trace = ByReference | ByNumber
"""How a contact is found whose key the provider does not send back."""


@dataclass(frozen=True, slots=True)
class CallbackReport:
    """One report in a callback.

    Attributes:
        report: What came of a contact.
        trace: How the contact is found; with one the report's key only stands in until it is.
        raw: Its part of the body, None where it is the body.
    """

    report: ContactReport
    trace: Trace | None = None
    raw: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class CallbackResponse:
    """The body of the HTTP 200 response that the provider expects."""

    body: str
    media_type: str


@dataclass(frozen=True, slots=True)
class CallbackContent:
    """A verified callback: its reports and the response to it.

    Attributes:
        reported: What it reports, in its order; nothing where it tells of what is still under way.
        reply: What it is answered; None for our own protocol, which is told what became of its report.
    """

    reported: Sequence[CallbackReport]
    reply: CallbackResponse | None = None


class CallbackReader(Protocol):
    """Verifies and parses one provider's callbacks; safe to share between threads."""

    @property
    def largest_body(self) -> int:
        """The largest body of a callback in bytes."""
        ...

    def read(self, posted: RawCallback) -> CallbackContent:
        """Verify a callback and return its reports.

        Raises:
            SignatureError: it is not the provider's, or too old to believe.
            ReportError: it is, and cannot be read; the message names the field.
        """
        ...


class SignedReader:
    """Reads the callbacks of the signed generic webhook; see `signature`."""

    def __init__(self, secrets: Sequence[str]) -> None:
        """Take the secret; the old one too while it is being changed."""
        self._secrets = tuple(secrets)

    def __repr__(self) -> str:
        """Nothing of the secrets."""
        return "SignedReader()"

    @property
    def largest_body(self) -> int:
        """The largest body of a callback in bytes: one report."""
        return LARGEST_CALLBACK

    def read(self, posted: RawCallback) -> CallbackContent:
        """Verify a signed JSON object and return the one report in it.

        Raises:
            SignatureError: it is not signed as it must be, or too old.
            ReportError: it is no report.
        """
        verify(
            self._secrets,
            timestamp=posted.headers.get(TIMESTAMP_HEADER, ""),
            signature=posted.headers.get(SIGNATURE_HEADER, ""),
            body=posted.body,
            now=posted.now,
        )
        return CallbackContent((CallbackReport(parse_report(posted.body)),))


def content_hash_name(body: Mapping[str, object]) -> str:
    """Return an id made from the hash of the content, for a report that has no id."""
    canonical = json.dumps(body, sort_keys=True, ensure_ascii=True).encode()
    return f"sha256:{hashlib.sha256(canonical).hexdigest()[:_STAND_IN_DIGITS]}"
