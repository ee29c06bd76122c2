"""The signed generic webhook as a channel, for any call centre or IM vendor.

The protocol is ours and written down in docs/channels.md; the simulator speaks it, and so may any vendor.
"""

import json
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import httpx2

from runtime.mask import mask_text
from schemas.orders.contact import Channel
from tools.channels.contract import (
    Absent,
    Accepted,
    ContactFound,
    ContactQuery,
    ContactRequest,
    NotSent,
    QueryOutcome,
    Rejected,
    SendOutcome,
    Unknown,
    Unreachable,
)
from tools.channels.exchange import Exchange, HttpAnswer, retry_after_seconds
from tools.channels.signature import (
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    ReportError,
    report_of,
    sign,
)

_PATHS: Final = {Channel.PHONE: "/v1/calls", Channel.SMS: "/v1/sms", Channel.IM: "/v1/im"}
_LONGEST_EXCERPT: Final = 200
_ACCEPTED: Final = frozenset({200, 201, 202})
_NOT_SENT: Final = frozenset({408, 425, 429, 503})
"""The contract: the provider answers these before it has done anything."""


class HttpChannel:
    """A `ChannelGateway` over one pooled HTTP client, safe to share between threads.

    Args:
        base_url: The provider's address, without `/v1`.
        token: The provider's bearer token; never shown.
        secret: Signs every request, so that the vendor need not trust the token alone; None for unsigned.
        max_connections: Requests that may be under way at once; others wait their share of the timeout.
        setting: Where `base_url` was configured, named when it is wrong.

    Raises:
        ValueError: `base_url` is no http or https address.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        secret: str | None = None,
        max_connections: int = 32,
        setting: str = "channel_url",
    ) -> None:
        self._secret = secret
        self._exchange = Exchange(
            base_url,
            setting=setting,
            headers={"Authorization": f"Bearer {token}"},
            max_connections=max_connections,
        )

    def __repr__(self) -> str:
        """The provider's address only."""
        return f"HttpChannel({self._exchange.base_url!r})"

    def send(self, request: ContactRequest) -> SendOutcome:
        """Request one contact; see `contract` for the meaning of each outcome."""
        body = json.dumps(
            {
                "key": request.key,
                "to": request.to,
                "script_id": request.script_id,
                "script_version": request.script_version,
                "text": request.text,
                "variables": dict(request.variables),
                "callback_url": request.callback_url,
                "task_id": request.task_id,
                "simulation": None if request.simulation is None else dict(request.simulation),
            }
        ).encode()
        answer = self._exchange.ask(
            "POST",
            _PATHS[request.channel],
            timeout_seconds=request.timeout_seconds,
            body=body,
            headers={
                "Idempotency-Key": request.key,
                "Content-Type": "application/json",
                **self._signed(body),
            },
        )
        return _sent(answer, request) if isinstance(answer, HttpAnswer) else answer

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:
        """Query the outcome of a contact; only a 404 that names the key counts as `Absent`."""
        key = sought.key
        answer = self._exchange.ask(
            "GET",
            f"/v1/contacts/{quote(key, safe='')}",
            timeout_seconds=timeout_seconds,
            headers=self._signed(b""),
        )
        if not isinstance(answer, HttpAnswer):
            return Unreachable(answer.reason)
        document = answer.document()
        # A gateway in between, or a wrong address, answers 404 too; taking that for "never received" would
        # contact a customer twice.
        if document is None or document.get("key") != key:
            return Unreachable(f"the provider answered {answer.status} without naming the key")
        return Absent() if answer.status == httpx2.codes.NOT_FOUND else _found(answer.status, document)

    def close(self) -> None:
        """Close the pooled connections."""
        self._exchange.close()

    def _signed(self, body: bytes) -> Mapping[str, str]:
        """The headers that sign this body now."""
        if self._secret is None:
            return {}
        timestamp = int(time.time())
        return {
            TIMESTAMP_HEADER: str(timestamp),
            SIGNATURE_HEADER: sign(self._secret, timestamp, body),
        }


def _sent(answer: HttpAnswer, request: ContactRequest) -> SendOutcome:
    if answer.status in _ACCEPTED:
        document = answer.document() or {}
        provider_id = document.get("provider_id")
        if not isinstance(provider_id, str) or not provider_id or document.get("key") != request.key:
            return Unknown(f"the provider answered {answer.status} without a provider_id for the key")
        return Accepted(provider_id, document.get("duplicate") is True)
    reason = f"the provider answered {answer.status}{_message(answer, request.to)}"
    if answer.status in _NOT_SENT:
        return NotSent(reason, retry_after_seconds(answer.retry_after))
    if answer.status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return Unknown(reason)
    return Rejected(reason)


def _found(status: int, document: Mapping[str, object]) -> QueryOutcome:
    provider_id = document.get("provider_id")
    if status != httpx2.codes.OK or not isinstance(provider_id, str) or not provider_id:
        return Unreachable(f"the provider answered {status} without a provider_id")
    if document.get("result") is None:
        return ContactFound(provider_id, None)
    try:
        return ContactFound(provider_id, report_of(document))
    except ReportError as error:
        return Unreachable(str(error))


def _message(answer: HttpAnswer, to: str) -> str:
    """The provider's own explanation, masked and bounded, for the person who reads the reason."""
    error = (answer.document() or {}).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    if not isinstance(message, str):
        return ""
    return f": {mask_text(message.replace(to, '****') if to else message)[:_LONGEST_EXCERPT]}"
