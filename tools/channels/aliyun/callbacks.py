"""Reads Aliyun's callbacks: delivery reports, customers' replies and call records, several in one JSON array.

No signature is documented, so the address holds a secret token, and the addresses that may push can be named.
Aliyun waits 700 ms for `{"code": 0}` and pushes again after 1, 5 and 10 minutes, so a report comes repeatedly.
"""

import hmac
import ipaddress
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from schemas.orders.contact import Channel, ContactResult
from tools.channels.aliyun.sms import ALIYUN_ZONE
from tools.channels.aliyun.voice import result_of, whole_seconds
from tools.channels.callbacks import (
    ByNumber,
    ByReference,
    CallbackContent,
    CallbackReport,
    CallbackResponse,
    RawCallback,
    content_hash_name,
)
from tools.channels.contract import ContactReport
from tools.channels.signature import ReportError, SignatureError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_TAKEN: Final = CallbackResponse(
    json.dumps({"code": 0, "msg": "接收成功"}, ensure_ascii=False), "application/json"
)
_LARGEST_PUSH: Final = 1_048_576
_LONGEST_WORDS: Final = 2_000
_LONGEST_NAME: Final = 48
_LONGEST_KEY: Final = 64
_REFERENCE: Final = re.compile(r"[0-9a-f]{15}")
_NOT_FOUND: Final = "aliyun"
"""Stands for the key until the contact is found."""


@dataclass(frozen=True, slots=True)
class AliyunReader:
    """A `CallbackReader` for every kind of Aliyun's pushes.

    Attributes:
        token: The last part of the address that Aliyun is told to push to.
        networks: From where it may push; empty for anywhere.
        keys: What each key means that a called customer presses.
    """

    token: str = field(repr=False)
    networks: Sequence[Network] = ()
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def largest_body(self) -> int:
        """The largest body of a callback in bytes: some thousand reports."""
        return _LARGEST_PUSH

    def read(self, posted: RawCallback) -> CallbackContent:
        """Return the reports in a callback; entries that are not ours are skipped.

        Raises:
            SignatureError: the address does not end in the token, or the push comes from elsewhere.
            ReportError: the body is no JSON array of objects.
        """
        if not self.token or not hmac.compare_digest(
            self.token.encode(), posted.token.encode("utf-8", "surrogatepass")
        ):
            raise SignatureError("the address does not end in the token that was agreed with Aliyun")
        if self.networks and not self._from_there(posted.sender):
            raise SignatureError("the push does not come from an address that may push")
        reported = [
            replace(one, raw=json.dumps(element))
            for element in _elements(posted.body)
            if (one := self._reported(element)) is not None
        ]
        return CallbackContent(reported, _TAKEN)

    def _from_there(self, sender: str) -> bool:
        try:
            address = ipaddress.ip_address(sender)
        except ValueError:
            return False
        return any(address in network for network in self.networks)

    def _reported(self, element: Mapping[str, object]) -> CallbackReport | None:
        if "biz_id" in element:
            return _delivery(element)
        if "sequence_id" in element:
            return _reply(element)
        if "call_id" in element and "end_time" in element and "record_file" not in element:
            return self._call(element)
        return None

    def _call(self, element: Mapping[str, object]) -> CallbackReport:
        """A call that has ended (VoiceReport)."""
        name = _name(element, "call_id")
        result, words = result_of(
            str(element.get("status_code")),
            str(element.get("early_media_code")),
            str(element.get("dtmf") or ""),
            self.keys,
        )
        report = ContactReport(
            event_id=f"{name}.record",
            key=_NOT_FOUND,
            provider_id=name,
            channel=Channel.PHONE,
            result=result,
            transcript=words,
            duration_seconds=whole_seconds(element.get("duration")),
            recording_url=None,
            occurred_at=_moment(element.get("end_time")),
        )
        given = str(element.get("out_id"))
        return CallbackReport(report, ByReference(given if _REFERENCE.fullmatch(given) else ""))


def _elements(body: bytes) -> list[Mapping[str, object]]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise ReportError("body", "is not JSON in UTF-8") from None
    if not isinstance(document, list) or not all(isinstance(element, dict) for element in document):
        raise ReportError("body", "must be a JSON array of objects")
    return document


def _delivery(element: Mapping[str, object]) -> CallbackReport:
    """What became of a text (SmsReport); its key travelled as `out_id`."""
    name, arrived = _name(element, "biz_id"), element.get("success") is True
    result = ContactResult.DELIVERED if arrived else ContactResult.UNDELIVERED
    report = ContactReport(
        event_id=f"{name}.{result.value}",
        key=_name(element, "out_id", _LONGEST_KEY),
        provider_id=name,
        channel=Channel.SMS,
        result=result,
        transcript="",
        duration_seconds=None,
        recording_url=None,
        occurred_at=_moment(element.get("report_time")),
    )
    return CallbackReport(report)


def _reply(element: Mapping[str, object]) -> CallbackReport:
    """What a customer wrote back (SmsUp)."""
    name = _name(element, "sequence_id")
    said = element.get("content")
    report = ContactReport(
        event_id=f"up.{name}",
        key=_NOT_FOUND,
        provider_id=name,
        channel=Channel.SMS,
        result=ContactResult.ANSWERED,
        transcript=words_of(said)[:_LONGEST_WORDS],
        duration_seconds=None,
        recording_url=None,
        occurred_at=_moment(element.get("send_time")),
    )
    number, code = str(element.get("phone_number") or ""), str(element.get("dest_code") or "")
    return CallbackReport(report, ByNumber(number, Channel.SMS, code))


def words_of(said: object) -> str:
    """Return a customer's text in a form that the database can store; other characters are replaced."""
    return said.replace("\x00", "").encode("utf-8", "replace").decode() if isinstance(said, str) else ""


def _name(element: Mapping[str, object], field_name: str, longest: int = _LONGEST_NAME) -> str:
    """A name in a report; for one that is missing or odd something stands in, so that the report is kept."""
    value = element.get(field_name)
    name = str(value) if isinstance(value, str | int) else ""
    return name if 0 < len(name) <= longest and name.isprintable() else content_hash_name(element)


def _moment(value: object) -> datetime | None:
    """A time as Aliyun writes it, which is China's; None for any other text."""
    try:
        moment = datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S").replace(tzinfo=ALIYUN_ZONE)
    except ValueError:
        return None
    return moment if moment.year > 1 else None
