"""Reads Twilio's callbacks: states of messages and calls, speech in a call, and messages from customers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from schemas.orders.contact import Channel, ContactResult
from tools.channels.aliyun.callbacks import words_of
from tools.channels.callbacks import (
    LARGEST_CALLBACK,
    ByNumber,
    CallbackContent,
    CallbackReport,
    CallbackResponse,
    RawCallback,
)
from tools.channels.contract import ContactReport
from tools.channels.signature import ReportError
from tools.channels.twilio.calls import final_twiml, is_machine, result_of
from tools.channels.twilio.messages import MESSAGE_RESULTS
from tools.channels.twilio.signature import SETTINGS_HEADER, SIGNATURE_HEADER, verify

_NOTHING_TO_SAY: Final = CallbackResponse("<Response/>", "text/xml")
_MOST_FIELDS: Final = 200
_LONGEST_NAME: Final = 48
_LONGEST_KEY: Final = 64
_LONGEST_WORDS: Final = 20_000
_LONGEST_DURATION_DIGITS: Final = 5


@dataclass(frozen=True, slots=True)
class TwilioReader:
    """A `CallbackReader` for every kind of Twilio's callbacks.

    Attributes:
        token: The account's token, which signs.
        language: In which a called customer is thanked.
        thanks: What they are told before the call ends.
    """

    token: str = field(repr=False)
    language: str = "zh-CN"
    thanks: str = "好的，已为您记录，再见。"

    @property
    def largest_body(self) -> int:
        """The largest body of a callback in bytes: one form."""
        return LARGEST_CALLBACK

    def read(self, posted: RawCallback) -> CallbackContent:
        """Verify a callback and return its reports: none while a message or a call is under way.

        Raises:
            SignatureError: the call is not signed with the account's token.
            ReportError: it names no message and no call, or not its attempt.
        """
        try:
            form = parse_qsl(posted.body.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise ReportError("body", "must be a form") from None
        verify(
            [self.token],
            url=posted.url,
            form=form,
            signature=posted.headers.get(SIGNATURE_HEADER, ""),
            settings=posted.headers.get(SETTINGS_HEADER, ""),
        )
        fields = dict(form)
        if "CallSid" in fields:
            return self._call(fields, posted.query)
        if "MessageStatus" in fields:
            return _message_state(fields, posted.query)
        if "MessageSid" in fields:
            return _message(fields)
        raise ReportError("body", "names neither a CallSid nor a MessageSid")

    def _call(self, fields: Mapping[str, str], query: Mapping[str, str]) -> CallbackContent:
        if query.get("stage") == "answer":
            reported = _said(fields, _key(query))
            return CallbackContent(
                reported, CallbackResponse(final_twiml(self.language, self.thanks), "text/xml")
            )
        result = result_of(
            fields.get("CallStatus", ""), fields.get("AnsweredBy", ""), fields.get("SipResponseCode", "")
        )
        if result is None:
            return CallbackContent((), _NOTHING_TO_SAY)
        report = _report(
            _sid(fields, "CallSid"),
            fields["CallStatus"],
            _key(query),
            Channel.PHONE,
            result,
            seconds=_seconds(fields.get("CallDuration", "")),
        )
        return CallbackContent((CallbackReport(report),), _NOTHING_TO_SAY)


def _said(fields: Mapping[str, str], key: str) -> tuple[CallbackReport, ...]:
    """What a called customer said; a machine's greeting is no answer."""
    sid, words = _sid(fields, "CallSid"), words_of(fields.get("SpeechResult"))[:_LONGEST_WORDS]
    if is_machine(fields.get("AnsweredBy", "")):
        return (CallbackReport(_report(sid, "machine", key, Channel.PHONE, ContactResult.VOICEMAIL)),)
    if not words.strip():
        return ()
    return (CallbackReport(_report(sid, "answer", key, Channel.PHONE, ContactResult.ANSWERED, words=words)),)


def _message_state(fields: Mapping[str, str], query: Mapping[str, str]) -> CallbackContent:
    result = MESSAGE_RESULTS.get(fields["MessageStatus"])
    if result is None:
        return CallbackContent((), _NOTHING_TO_SAY)
    report = _report(_sid(fields, "MessageSid"), fields["MessageStatus"], _key(query), Channel.SMS, result)
    return CallbackContent((CallbackReport(report),), _NOTHING_TO_SAY)


def _message(fields: Mapping[str, str]) -> CallbackContent:
    """A message from a customer: the reply to the last text that went to their number."""
    words = words_of(fields.get("Body"))[:_LONGEST_WORDS]
    sid = _sid(fields, "MessageSid")
    report = _report(sid, "received", "twilio", Channel.SMS, ContactResult.ANSWERED, words=words)
    return CallbackContent(
        (CallbackReport(report, ByNumber(fields.get("From", ""), Channel.SMS)),), _NOTHING_TO_SAY
    )


def _report(
    sid: str,
    event: str,
    key: str,
    channel: Channel,
    result: ContactResult,
    *,
    words: str = "",
    seconds: int | None = None,
) -> ContactReport:
    """Twilio repeats a callback as it was: its resource and its state name it."""
    return ContactReport(
        event_id=f"{sid}.{event}",
        key=key,
        provider_id=sid,
        channel=channel,
        result=result,
        transcript=words,
        duration_seconds=seconds,
        recording_url=None,
        occurred_at=None,
    )


def _sid(fields: Mapping[str, str], name: str) -> str:
    return _named(fields.get(name, ""), name, _LONGEST_NAME)


def _key(query: Mapping[str, str]) -> str:
    return _named(query.get("key", ""), "key", _LONGEST_KEY)


def _named(value: str, name: str, longest: int) -> str:
    if not 0 < len(value) <= longest or not value.isprintable():
        raise ReportError(name, f"must be printable text of 1 to {longest} characters")
    return value


def _seconds(digits: str) -> int | None:
    if not digits.isascii() or not digits.isdecimal() or len(digits) > _LONGEST_DURATION_DIGITS:
        return None
    return int(digits)
