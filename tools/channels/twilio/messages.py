"""Twilio's messages as a channel.

Creating a message has no idempotency: the attempt's key travels in the address of the status callback, and a
message whose name was lost is looked for among those to its number since the attempt was begun.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

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
from tools.channels.script import filled
from tools.channels.twilio.api import NOT_FOUND, TwilioApi

SETTLED_SECONDS: Final = 180.0
"""What is not listed after this was never taken; a request on its way arrives sooner."""

MESSAGE_RESULTS: Final[Mapping[str, ContactResult]] = MappingProxyType(
    {
        "delivered": ContactResult.DELIVERED,
        "read": ContactResult.DELIVERED,
        "undelivered": ContactResult.UNDELIVERED,
        "failed": ContactResult.UNDELIVERED,
        "canceled": ContactResult.UNDELIVERED,
    }
)
"""What a message's last states mean; `queued`, `sending` and `sent` say nothing yet."""


@dataclass(frozen=True, slots=True)
class MessageSender:
    """The sender and callback address that messages are sent with.

    Attributes:
        sender: Our number in E.164, or the name of a messaging service (`MG…`).
        scripts: The text of scripts whose words a request does not bring, with gaps as `{order_type}`.
        callback_url: Where Twilio reports, without the key.
    """

    sender: str = field(repr=False)
    scripts: Mapping[str, str]
    callback_url: str


class TwilioMessages:
    """A `ChannelGateway` for texts, safe to share between threads."""

    def __init__(self, api: TwilioApi, sender: MessageSender) -> None:
        self._api = api
        self._sender = sender

    def __repr__(self) -> str:
        """The address only."""
        return f"TwilioMessages({self._api!r})"

    def send(self, request: ContactRequest) -> SendOutcome:
        """Send one text message; see `refusal_of` for the meaning of failures."""
        number = international(request.to)
        if number is None:
            return Rejected("the order's number is none that a text can be sent to")
        text = request.text
        if text is None and (own := self._sender.scripts.get(request.script_id)) is not None:
            text = filled(own, request.variables)
        if text is None:
            return Rejected(f"no text is configured for the script {request.script_id!r:.80}")
        sender = self._sender.sender
        form = [
            ("To", number),
            ("MessagingServiceSid" if sender.startswith("MG") else "From", sender),
            ("Body", text),
            ("StatusCallback", keyed(self._sender.callback_url, request.key)),
        ]
        return self._api.create("Messages", form, number, request.timeout_seconds)

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:
        """Query the message by its sid, or without one by its number since the attempt began."""
        if sought.provider_id is None:
            return found_by_number(self._api, "Messages", "messages", sought, timeout_seconds)
        answer = self._api.fetch("Messages", sought.provider_id, timeout_seconds)
        if isinstance(answer, Unreachable):
            return answer
        if answer.status == NOT_FOUND:
            return Absent()
        result = MESSAGE_RESULTS.get(str((answer.document() or {}).get("status")))
        return ContactFound(sought.provider_id, None if result is None else _report(sought, result))

    def close(self) -> None:
        """Close the pooled connections."""
        self._api.close()


def keyed(callback_url: str, key: str, **more: str) -> str:
    """Return the callback address with the attempt's key; Twilio signs the address, so the key cannot be changed."""
    return f"{callback_url}?{urlencode({'key': key, **more})}"


def found_by_number(
    api: TwilioApi, resource: str, listed_as: str, sought: ContactQuery, timeout_seconds: float
) -> QueryOutcome:
    """Return the only message or call to the number since the attempt began; its result is queried later.

    Several cannot be told apart, so they are as good as no answer. None is an absence only once a request
    that was on its way must have arrived.
    """
    number = international(sought.to)
    if number is None:
        return Unreachable("the order's number is none that can be looked up")
    sids = api.sent_since(resource, listed_as, number, sought, timeout_seconds)
    if isinstance(sids, Unreachable):
        return sids
    if len(sids) > 1:
        return Unreachable(f"{len(sids)} {listed_as} to the number may be this one")
    if sids:
        return ContactFound(sids[0], None)
    if sought.age_seconds < SETTLED_SECONDS:
        return Unreachable("the provider lists nothing for the number yet")
    return Absent()


def _report(sought: ContactQuery, result: ContactResult) -> ContactReport:
    return ContactReport(
        event_id=f"{sought.provider_id}.{result.value}",
        key=sought.key,
        provider_id=sought.provider_id or "",
        channel=Channel.SMS,
        result=result,
        transcript="",
        duration_seconds=None,
        recording_url=None,
        occurred_at=None,
    )
