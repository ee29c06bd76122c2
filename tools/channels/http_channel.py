"""The adapter to a provider over HTTP: the wire protocol, and exactly what each failure leaves certain."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

import httpx2

from runtime.mask import mask_text
from schemas.contact import Channel
from tools.channels.contract import (
    Absent,
    Accepted,
    ContactRequest,
    Found,
    NotSent,
    QueryOutcome,
    Rejected,
    SendOutcome,
    Unknown,
    Unreachable,
)
from tools.channels.signature import ReportError, report_of

_PATHS: Final = {Channel.PHONE: "/v1/calls", Channel.SMS: "/v1/sms", Channel.IM: "/v1/im"}
_LARGEST_ANSWER_BYTES: Final = 262_144
_LONGEST_RETRY_AFTER_SECONDS: Final = 3600.0
_LONGEST_EXCERPT: Final = 200
_ACCEPTED: Final = frozenset({200, 201, 202})
_NOT_SENT: Final = frozenset({408, 425, 429, 503})
"""The contract: the provider answers these before it has done anything."""

_Unsent = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
"""Raised before a byte of the request has left."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    retry_after: str | None
    body: bytes

    def document(self) -> Mapping[str, object] | None:
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None


class _AnswerTooLongError(Exception):
    """The answer's body takes too long or is too large; its status is known, its meaning is not."""


class HttpChannel:
    """A `ChannelGateway` over one pooled HTTP client, safe to share between threads.

    Args:
        base_url: The provider's address, without `/v1`.
        token: The provider's bearer token; never shown.
        max_connections: Requests that may be under way at once; others wait their share of the timeout.

    Raises:
        ValueError: `base_url` is no http or https address.
    """

    def __init__(self, base_url: str, token: str, *, max_connections: int = 32) -> None:
        url = httpx2.URL(base_url)
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError("channel_url must be an address as http://host:port or https://host")
        if url.userinfo:
            raise ValueError(
                "channel_url must not hold a name or password; the token goes into channel_token"
            )
        self._base_url = str(url).rstrip("/")
        self._client = httpx2.Client(
            headers={"Authorization": f"Bearer {token}", "Accept": "application/json"},
            limits=httpx2.Limits(
                max_connections=max_connections,
                max_keepalive_connections=max_connections,
                keepalive_expiry=15.0,
            ),
            follow_redirects=False,
            # A proxy from the environment would turn "refused" into an answer of its own.
            trust_env=False,
        )

    def __repr__(self) -> str:
        """The provider's address only."""
        return f"HttpChannel({self._base_url!r})"

    def send(self, request: ContactRequest) -> SendOutcome:
        """Ask for one contact; see `contract` for what each outcome makes certain."""
        body = json.dumps(
            {
                "key": request.key,
                "to": request.to,
                "script_id": request.script_id,
                "variables": dict(request.variables),
                "callback_url": request.callback_url,
                "task_id": request.task_id,
                "simulation": None if request.simulation is None else dict(request.simulation),
            }
        ).encode()
        headers = {"Idempotency-Key": request.key, "Content-Type": "application/json"}
        try:
            answer = self._exchange("POST", _PATHS[request.channel], request.timeout_seconds, body, headers)
        except _Unsent as error:
            return NotSent(f"the provider at {self._base_url} could not be reached: {type(error).__name__}")
        except httpx2.TimeoutException as error:
            return Unknown(f"no answer within {request.timeout_seconds:g} seconds: {type(error).__name__}")
        except _AnswerTooLongError as error:
            return Unknown(str(error))
        except httpx2.RequestError as error:
            return Unknown(f"the connection broke after the request was sent: {type(error).__name__}")
        return _sent(answer, request)

    def query(self, key: str, *, timeout_seconds: float) -> QueryOutcome:
        """Ask what became of the contact; only a 404 that names the key counts as its absence."""
        try:
            answer = self._exchange("GET", f"/v1/contacts/{quote(key, safe='')}", timeout_seconds)
        except httpx2.RequestError as error:
            return Unreachable(f"the provider at {self._base_url} did not answer: {type(error).__name__}")
        except _AnswerTooLongError as error:
            return Unreachable(str(error))
        document = answer.document()
        # A gateway in between, or a wrong address, answers 404 too; taking that for "never received" would
        # contact a customer twice.
        if document is None or document.get("key") != key:
            return Unreachable(f"the provider answered {answer.status} without naming the key")
        return Absent() if answer.status == httpx2.codes.NOT_FOUND else _found(answer.status, document)

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _exchange(
        self,
        method: str,
        path: str,
        timeout_seconds: float,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> _Answer:
        """One request and its answer; the phases' shares add up to the timeout, so it holds for the whole."""
        deadline = time.monotonic() + timeout_seconds
        shares = httpx2.Timeout(
            pool=0.1 * timeout_seconds,
            connect=0.2 * timeout_seconds,
            write=0.1 * timeout_seconds,
            read=0.6 * timeout_seconds,
        )
        with self._client.stream(
            method, self._base_url + path, content=body, headers=headers, timeout=shares
        ) as response:
            received = bytearray()
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > _LARGEST_ANSWER_BYTES or time.monotonic() > deadline:
                    raise _AnswerTooLongError(
                        f"the provider's answer with status {response.status_code} is too long"
                    )
            return _Answer(response.status_code, response.headers.get("Retry-After"), bytes(received))


def _sent(answer: _Answer, request: ContactRequest) -> SendOutcome:
    if answer.status in _ACCEPTED:
        document = answer.document() or {}
        provider_id = document.get("provider_id")
        if not isinstance(provider_id, str) or not provider_id or document.get("key") != request.key:
            return Unknown(f"the provider answered {answer.status} without a provider_id for the key")
        return Accepted(provider_id, document.get("duplicate") is True)
    reason = f"the provider answered {answer.status}{_message(answer, request.to)}"
    if answer.status in _NOT_SENT:
        return NotSent(reason, _retry_after(answer.retry_after))
    if answer.status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return Unknown(reason)
    return Rejected(reason)


def _found(status: int, document: Mapping[str, object]) -> QueryOutcome:
    provider_id = document.get("provider_id")
    if status != httpx2.codes.OK or not isinstance(provider_id, str) or not provider_id:
        return Unreachable(f"the provider answered {status} without a provider_id")
    if document.get("result") is None:
        return Found(provider_id, None)
    try:
        return Found(provider_id, report_of(document))
    except ReportError as error:
        return Unreachable(str(error))


def _message(answer: _Answer, to: str) -> str:
    """The provider's own explanation, masked and bounded, for the person who reads the reason."""
    error = (answer.document() or {}).get("error")
    message = error.get("message") if isinstance(error, dict) else None
    if not isinstance(message, str):
        return ""
    return f": {mask_text(message.replace(to, '****') if to else message)[:_LONGEST_EXCERPT]}"


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, in either of its forms (RFC 9110 §10.2.3), at most an hour."""
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return min(float(value[:9]), _LONGEST_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_SECONDS)
