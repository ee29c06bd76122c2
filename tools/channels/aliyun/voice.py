"""Aliyun's voice service as a channel: SingleCallByTts, and QueryCallDetailByCallId when a report was lost.

The service speaks a text and hears keys, not words; which key means what is configured. SingleCallByTts has no
idempotency, and a call can be looked up by its CallId only: one whose answer was lost is found by its report,
or by nobody. It is never placed again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from schemas.orders.contact import Channel, ContactResult
from tools.channels.aliyun.api import AliyunApi, refusal_of, succeeded
from tools.channels.contract import (
    Accepted,
    ContactFound,
    ContactQuery,
    ContactReport,
    ContactRequest,
    QueryOutcome,
    Rejected,
    SendOutcome,
    Unknown,
    Unreachable,
)
from tools.channels.dialling import mainland
from tools.channels.exchange import HttpAnswer
from tools.channels.reference import reference_of
from tools.channels.script import Template

_VOICE_NOTICE: Final = "11000000300006"
"""The product a call by SingleCallByTts belongs to, as queries want it named."""

_EARLY_MEDIA_CODES: Final = frozenset({"200000", "200001", "200008", "200100"})
"""Somebody took the call: to its end, not to its end, without a key in time."""
_RESULTS: Final[Mapping[str, ContactResult]] = MappingProxyType(
    {
        "200002": ContactResult.BUSY,
        "200112": ContactResult.BUSY,
        "200004": ContactResult.INVALID_NUMBER,
        "200116": ContactResult.INVALID_NUMBER,
        "200010": ContactResult.POWER_OFF,
        "200011": ContactResult.SUSPENDED_NUMBER,
        "200111": ContactResult.REJECTED,
    }
)
"""What the codes of ended calls mean; every other one is a call that nobody took."""


@dataclass(frozen=True, slots=True)
class VoiceAccount:
    """The account and number that calls are made with.

    Attributes:
        scripts: The approved text-to-speech template of each of our scripts.
        shown_number: The number customers see, None where the service chooses one.
        play_times: How often the text is spoken, 1 to 3.
        keys: What the customer says by pressing a key, as `{"1": "可以上门"}`.
    """

    scripts: Mapping[str, Template]
    shown_number: str | None = field(default=None, repr=False)
    play_times: int = 2
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class AliyunVoice:
    """A `ChannelGateway` for calls, safe to share between threads."""

    def __init__(self, api: AliyunApi, account: VoiceAccount) -> None:
        self._api = api
        self._account = account

    def __repr__(self) -> str:
        """The service's address only."""
        return f"AliyunVoice({self._api!r})"

    def send(self, request: ContactRequest) -> SendOutcome:
        """Place one call; see `refusal_of` for the meaning of failures."""
        number = mainland(request.to)
        if number is None:
            return Rejected("the order's number is none that can be called")
        template = request.templates.get("aliyun_voice") or self._account.scripts.get(request.script_id)
        if template is None:
            return Rejected(f"no voice template is configured for the script {request.script_id!r:.80}")
        parameters = {
            "CalledNumber": number,
            "TtsCode": template.code,
            "TtsParam": template.parameters(request.variables),
            "PlayTimes": str(self._account.play_times),
            "OutId": reference_of(request.key),
        }
        if self._account.shown_number is not None:
            parameters["CalledShowNumber"] = self._account.shown_number
        answer = self._api.call("SingleCallByTts", parameters, timeout_seconds=request.timeout_seconds)
        if not isinstance(answer, HttpAnswer):
            return answer
        document = succeeded(answer)
        if document is None:
            return refusal_of(answer, number)
        name = document.get("CallId")
        if not isinstance(name, str) or not name:
            return Unknown("the provider answered OK without a CallId")
        return Accepted(name, duplicate=False)

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:
        """Query the call by its CallId; never `Absent`, since a call can be found by nothing else."""
        if sought.provider_id is None:
            return Unreachable("the call's CallId never came; only its report can tell what became of it")
        answer = self._api.call(
            "QueryCallDetailByCallId",
            {
                "CallId": sought.provider_id,
                "ProdId": _VOICE_NOTICE,
                "QueryDate": str(int(sought.begun_at.timestamp() * 1000)),
            },
            timeout_seconds=timeout_seconds,
        )
        if not isinstance(answer, HttpAnswer):
            return Unreachable(answer.reason)
        document = succeeded(answer)
        if document is None:
            return Unreachable(refusal_of(answer, sought.to).reason)
        return ContactFound(sought.provider_id, self._report_of(document.get("Data"), sought))

    def close(self) -> None:
        """Close the pooled connections."""
        self._api.close()

    def _report_of(self, data: object, sought: ContactQuery) -> ContactReport | None:
        """The call's record, a JSON text in the answer; None while there is none, which is for minutes."""
        try:
            detail = json.loads(data) if isinstance(data, str) else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(detail, dict) or not detail.get("state"):
            return None
        code, pressed = str(detail["state"]), str(detail.get("dtmf") or "")
        if not detail.get("endDate") and code not in _RESULTS:
            # A call that nobody took has no end in its record, but a code that says so.
            return None
        result, words = result_of(code, None, pressed, self._account.keys)
        return ContactReport(
            event_id=f"{sought.provider_id}.record",
            key=sought.key,
            provider_id=sought.provider_id or "",
            channel=Channel.PHONE,
            result=result,
            transcript=words,
            duration_seconds=whole_seconds(detail.get("duration")),
            recording_url=None,
            occurred_at=None,
        )


def result_of(
    code: str, early_media_code: str | None, pressed: str, keys: Mapping[str, str]
) -> tuple[ContactResult, str]:
    """Return the contact result and the customer's words from a call record.

    Args:
        code: How the call ended (呼叫状态码).
        early_media_code: What was heard before it was taken, where that is recognised: it tells a number that
            is off or out of service from one that is merely not answered.
        pressed: The keys the customer pressed; the last one that means something counts.
        keys: What each key means.
    """
    if code in _EARLY_MEDIA_CODES:
        words = [keys[key] for key in pressed if key in keys]
        return (ContactResult.ANSWERED, words[-1]) if words else (ContactResult.EXPIRED, "")
    said = _RESULTS.get(code) or _RESULTS.get(early_media_code or "")
    return said or ContactResult.NO_ANSWER, ""


def whole_seconds(value: object) -> int | None:
    """A duration as Aliyun writes it, a number or digits; None when it is neither or longer than a day."""
    digits = str(value)
    if isinstance(value, bool) or not digits.isascii() or not digits.isdecimal() or len(digits) > 5:  # noqa: PLR2004
        return None
    return min(int(digits), 86_400)
