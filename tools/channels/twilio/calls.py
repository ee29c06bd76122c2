"""Twilio's calls as a channel: the text is spoken, and the recognised speech comes back as a callback.

Creating a call has no idempotency: the attempt's key travels in the addresses of the callbacks, and a call
whose name was lost is looked for among those to its number since the attempt was begun.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from schemas.orders.contact import Channel, ContactResult
from tools.channels.contract import (
    Absent,
    ContactFound,
    ContactQuery,
    ContactReport,
    ContactRequest,
    QueryOutcome,
    Rejected,
    SendOutcome,
    Unreachable,
)
from tools.channels.dialling import international
from tools.channels.exchange import HttpAnswer
from tools.channels.script import filled
from tools.channels.twilio.api import NOT_FOUND, TwilioApi
from tools.channels.twilio.messages import found_by_number, keyed

CALL_RESULTS: Final[Mapping[str, ContactResult]] = MappingProxyType(
    {
        # Somebody took the call; what they said comes by a callback of its own, before this one.
        "completed": ContactResult.EXPIRED,
        "busy": ContactResult.BUSY,
        "no-answer": ContactResult.NO_ANSWER,
        "canceled": ContactResult.NO_ANSWER,
        "failed": ContactResult.NO_ANSWER,
    }
)
"""What a call's last states mean; `queued`, `initiated`, `ringing` and `in-progress` say nothing yet."""

_MACHINES: Final = ("machine", "fax")
_NO_SUCH_NUMBER: Final = "404"
"""The SIP answer of a carrier that does not know the number."""


@dataclass(frozen=True, slots=True)
class CallSender:
    """The number, language and callback address that calls are made with.

    Attributes:
        sender: Our number in E.164.
        scripts: The text of scripts whose words a request does not bring, with gaps as `{order_type}`.
        callback_url: Where Twilio reports, without the key.
        language: In which the text is spoken and the answer is understood.
        ring_seconds: How long it rings.
        detects_machines: Whether voicemail is told from people, which delays the first word by some seconds.
    """

    sender: str = field(repr=False)
    scripts: Mapping[str, str]
    callback_url: str
    language: str = "zh-CN"
    ring_seconds: int = 30
    detects_machines: bool = True


class TwilioCalls:
    """A `ChannelGateway` for calls, safe to share between threads."""

    def __init__(self, api: TwilioApi, sender: CallSender) -> None:
        self._api = api
        self._sender = sender

    def __repr__(self) -> str:
        """The address only."""
        return f"TwilioCalls({self._api!r})"

    def send(self, request: ContactRequest) -> SendOutcome:
        """Place one call; see `refusal_of` for the meaning of failures."""
        number = international(request.to)
        if number is None:
            return Rejected("the order's number is none that can be called")
        text = request.text
        if text is None and (own := self._sender.scripts.get(request.script_id)) is not None:
            text = filled(own, request.variables)
        if text is None:
            return Rejected(f"no text is configured for the script {request.script_id!r:.80}")
        sender = self._sender
        answer_url = keyed(sender.callback_url, request.key, stage="answer")
        form = [
            ("To", number),
            ("From", sender.sender),
            ("Twiml", _conversation(text, answer_url, sender.language)),
            ("StatusCallback", keyed(sender.callback_url, request.key)),
            ("StatusCallbackEvent", "completed"),
            ("Timeout", str(sender.ring_seconds)),
        ]
        if sender.detects_machines:
            form.append(("MachineDetection", "Enable"))
        return self._api.create("Calls", form, number, request.timeout_seconds)

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:
        """Query the call by its sid, or without one by its number since the attempt began."""
        if sought.provider_id is None:
            return found_by_number(self._api, "Calls", "calls", sought, timeout_seconds)
        answer = self._api.fetch("Calls", sought.provider_id, timeout_seconds)
        if isinstance(answer, Unreachable):
            return answer
        if answer.status == NOT_FOUND:
            return Absent()
        return ContactFound(sought.provider_id, _report(answer, sought))

    def close(self) -> None:
        """Close the pooled connections."""
        self._api.close()


def result_of(status: str, answered_by: str, sip_code: str) -> ContactResult | None:
    """Return the contact result of a call's state, None while it is under way."""
    result = CALL_RESULTS.get(status)
    if result is ContactResult.EXPIRED and is_machine(answered_by):
        return ContactResult.VOICEMAIL
    if status == "failed" and sip_code == _NO_SUCH_NUMBER:
        return ContactResult.INVALID_NUMBER
    return result


def is_machine(answered_by: str) -> bool:
    """Whether an answering machine took the call, by `AnsweredBy`."""
    return answered_by.startswith(_MACHINES)


def final_twiml(language: str, text: str) -> str:
    """Return the TwiML that thanks the customer and ends the call."""
    return f"<Response><Say language={quoteattr(language)}>{escape(text)}</Say><Hangup/></Response>"


def _conversation(text: str, answer_url: str, language: str) -> str:
    """The TwiML that speaks a text and waits for the customer's words."""
    spoken = quoteattr(language)
    return (
        f'<Response><Gather input="speech" language={spoken} speechTimeout="auto" method="POST" '
        f"action={quoteattr(answer_url)}><Say language={spoken}>{escape(text)}</Say></Gather></Response>"
    )


def _report(answer: HttpAnswer, sought: ContactQuery) -> ContactReport | None:
    document = answer.document() or {}
    result = result_of(str(document.get("status")), str(document.get("answered_by")), "")
    if result is None:
        return None
    duration = str(document.get("duration"))
    return ContactReport(
        event_id=f"{sought.provider_id}.{result.value}",
        key=sought.key,
        provider_id=sought.provider_id or "",
        channel=Channel.PHONE,
        result=result,
        transcript="",
        duration_seconds=int(duration) if duration.isdecimal() and len(duration) <= 5 else None,  # noqa: PLR2004
        recording_url=None,
        occurred_at=None,
    )
