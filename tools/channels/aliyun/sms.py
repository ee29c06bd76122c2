"""Aliyun's SMS service as a channel: SendSms, and QuerySendDetails when the answer was lost.

SendSms has no idempotency: what was sent once is found again by the attempt's key, which travels as `OutId`
and comes back in the delivery report.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.orders.contact import Channel, ContactResult
from tools.channels.aliyun.api import AliyunApi, refusal_of, succeeded
from tools.channels.contract import (
    Absent,
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
from tools.channels.reference import extend_code_of
from tools.channels.script import Template

ALIYUN_ZONE: Final = ZoneInfo("Asia/Shanghai")
"""Every date Aliyun names or is asked for."""

_SETTLED_SECONDS: Final = 300.0
"""A text that is not listed after this was never taken; sooner it may only not be listed yet."""
_PAGE: Final = 50
_STILL_SENDING, _FAILED, _DELIVERED = "1", "2", "3"
_RESULTS: Final[Mapping[str, ContactResult]] = {
    _FAILED: ContactResult.UNDELIVERED,
    _DELIVERED: ContactResult.DELIVERED,
}


@dataclass(frozen=True, slots=True)
class SmsAccount:
    """The account and signature that text messages are sent with.

    Attributes:
        sign_name: The approved signature that opens every text (短信签名).
        scripts: The approved template of each of our scripts.
        sends_extend_code: Whether a code of four digits is sent with each text, so that replies name it;
            the account must allow it.
    """

    sign_name: str
    scripts: Mapping[str, Template]
    sends_extend_code: bool = False


class AliyunSms:
    """A `ChannelGateway` for texts, safe to share between threads."""

    def __init__(self, api: AliyunApi, account: SmsAccount) -> None:
        self._api = api
        self._account = account

    def __repr__(self) -> str:
        """The service's address only."""
        return f"AliyunSms({self._api!r})"

    def send(self, request: ContactRequest) -> SendOutcome:
        """Send one text message; see `refusal_of` for the meaning of failures."""
        number = mainland(request.to)
        if number is None:
            return Rejected("the order's number is none that a text can be sent to")
        template = request.templates.get("aliyun_sms") or self._account.scripts.get(request.script_id)
        if template is None:
            return Rejected(f"no SMS template is configured for the script {request.script_id!r:.80}")
        parameters = {
            "PhoneNumbers": number,
            "SignName": self._account.sign_name,
            "TemplateCode": template.code,
            "TemplateParam": template.parameters(request.variables),
            "OutId": request.key,
        }
        if self._account.sends_extend_code:
            parameters["SmsUpExtendCode"] = extend_code_of(request.key)
        answer = self._api.call("SendSms", parameters, timeout_seconds=request.timeout_seconds)
        if not isinstance(answer, HttpAnswer):
            return answer
        document = succeeded(answer)
        if document is None:
            return refusal_of(answer, number)
        name = document.get("BizId")
        if not isinstance(name, str) or not name:
            return Unknown("the provider answered OK without a BizId")
        return Accepted(name, duplicate=False)

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:
        """Search for the message by number and day; `Absent` only when enough time has passed for it to be listed."""
        number = mainland(sought.to)
        if number is None:
            return Unreachable("the order's number is none that texts can be looked up for")
        days = _days_of(sought.begun_at)
        for day in days:
            listed = self._listed(number, day, timeout_seconds / len(days))
            if isinstance(listed, Unreachable):
                return listed
            for entry in listed:
                if entry.get("OutId") == sought.key:
                    return _found(entry, sought)
        if sought.age_seconds < _SETTLED_SECONDS:
            return Unreachable("the provider does not list the text yet")
        return Absent()

    def close(self) -> None:
        """Close the pooled connections."""
        self._api.close()

    def _listed(
        self, number: str, day: str, timeout_seconds: float
    ) -> list[Mapping[str, object]] | Unreachable:
        """Every text of this day to this number."""
        answer = self._api.call(
            "QuerySendDetails",
            {"PhoneNumber": number, "SendDate": day, "PageSize": str(_PAGE), "CurrentPage": "1"},
            timeout_seconds=timeout_seconds,
        )
        if not isinstance(answer, HttpAnswer):
            return Unreachable(answer.reason)
        document = succeeded(answer)
        if document is None:
            return Unreachable(refusal_of(answer, number).reason)
        total, page = document.get("TotalCount"), document.get("SmsSendDetailDTOs")
        entries = page.get("SmsSendDetailDTO") if isinstance(page, dict) else None
        if not isinstance(entries, list) or not str(total).isdecimal() or int(str(total)) > len(entries):
            return Unreachable("the provider does not list every text of the day")
        return [entry for entry in entries if isinstance(entry, dict)]


def _days_of(begun_at: datetime) -> list[str]:
    """The day the text was sent on; both where it may have been sent after midnight."""
    moments = (begun_at, begun_at + timedelta(seconds=60))
    return sorted({moment.astimezone(ALIYUN_ZONE).strftime("%Y%m%d") for moment in moments})


def _found(entry: Mapping[str, object], sought: ContactQuery) -> ContactFound:
    """The list does not tell a text's BizId; where we never had it the key stands for it."""
    provider_id = sought.provider_id or sought.key
    result = _RESULTS.get(str(entry.get("SendStatus")))
    if result is None:
        return ContactFound(provider_id, None)
    return ContactFound(
        provider_id,
        ContactReport(
            event_id=f"{sought.key}.{result.value}",
            key=sought.key,
            provider_id=provider_id,
            channel=Channel.SMS,
            result=result,
            transcript="",
            duration_seconds=None,
            recording_url=None,
            occurred_at=None,
        ),
    )
