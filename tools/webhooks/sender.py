"""Sends webhooks: one POST and one answer, with a time limit, without redirects."""

import asyncio
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

import httpx2

from tools.network.address import AddressRefused
from tools.retry_after import seconds_of
from tools.webhooks.address import WebhookAddresses
from tools.webhooks.signature import signed_headers

TIMEOUT_SECONDS: Final = 10.0
"""How long a receiver may take, from the first byte to the last."""

_LARGEST_ANSWER_BYTES: Final = 65_536
_LONGEST_RETRY_AFTER_SECONDS: Final = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookMessage:
    """A message ready to be sent, signed with every secret."""

    message_id: str
    url: str
    body: bytes
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryTry:
    """One try of a webhook delivery; `error` is for people and holds nothing of the receiver's words or address."""

    status: int | None
    error: str | None
    retry_after_seconds: float | None = None
    seconds: float = 0.0

    @property
    def delivered(self) -> bool:
        """Whether the receiver accepted it."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the receiver wants no more messages (410)."""
        return self.status == httpx2.codes.GONE


class WebhookSender:
    """Sends messages, many at once, over pooled connections; belongs to one event loop."""

    def __init__(
        self,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        most_at_once: int = 16,
        addresses: WebhookAddresses,
        judge: Callable[[str, str], None] | None = None,
    ) -> None:
        """Take the limits, and where messages may go.

        `judge` raises `AddressRefused` for a scheme and a peer that may not be spoken to; by `addresses` without it.
        """
        self._timeout = timeout_seconds
        self._addresses = addresses
        self._judge = judge or addresses.check_peer
        self._client = httpx2.AsyncClient(
            headers={"User-Agent": "unpend-webhooks", "Content-Type": "application/json"},
            limits=httpx2.Limits(
                max_connections=most_at_once,
                max_keepalive_connections=most_at_once,
                keepalive_expiry=15.0,
            ),
            timeout=timeout_seconds,
            follow_redirects=False,
            # A proxy of the environment would be the peer that is checked, and not the receiver.
            trust_env=False,
            verify=ssl.create_default_context(),
        )

    async def send(self, envelope: WebhookMessage) -> DeliveryTry:
        """Send a message once. A failure is part of the result, never an exception."""
        began = time.monotonic()
        try:
            self._addresses.check_url(envelope.url)
            async with asyncio.timeout(self._timeout):
                status, retry_after = await self._post(envelope)
        except AddressRefused as error:
            return _failed(str(error), began)
        except (TimeoutError, httpx2.TimeoutException):
            return _failed(f"no answer within {self._timeout:g} seconds", began)
        except httpx2.ConnectError:
            return _failed("no connection could be made", began)
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            return _failed(f"the connection broke before an answer: {type(error).__name__}", began)
        return DeliveryTry(
            status=status,
            error=_fault(status),
            retry_after_seconds=retry_after,
            seconds=time.monotonic() - began,
        )

    async def close(self) -> None:
        """Close the pooled connections."""
        await self._client.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _post(self, envelope: WebhookMessage) -> tuple[int, float | None]:
        scheme = httpx2.URL(envelope.url).scheme

        async def watch(event: str, info: Mapping[str, Any]) -> None:
            """Look at who is at the other end before anything is said to them."""
            if event != "connection.connect_tcp.complete":
                return
            stream = info["return_value"]
            async with AsyncExitStack() as refused:
                # The pool does not know this connection yet, so nobody else closes it.
                refused.push_async_callback(stream.aclose)
                self._judge(scheme, stream.get_extra_info("server_addr")[0])
                refused.pop_all()

        headers = signed_headers(envelope.secrets, envelope.message_id, int(time.time()), envelope.body)
        async with self._client.stream(
            "POST",
            envelope.url,
            content=envelope.body,
            headers=dict(headers),
            extensions={"trace": watch},
        ) as response:
            await _drain(response)
            return response.status_code, seconds_of(
                response.headers.get("Retry-After"), at_most=_LONGEST_RETRY_AFTER_SECONDS
            )


async def _drain(response: httpx2.Response) -> None:
    """Read a short answer to its end, so that the connection can be used again; leave a long one."""
    received = 0
    try:
        async for chunk in response.aiter_raw():
            received += len(chunk)
            if received > _LARGEST_ANSWER_BYTES:
                return
    except (httpx2.ReadError, httpx2.RemoteProtocolError):
        return  # The status was said; what follows it decides nothing.


def _failed(error: str, began: float) -> DeliveryTry:
    return DeliveryTry(status=None, error=error, seconds=time.monotonic() - began)


def _fault(status: int) -> str | None:
    if httpx2.codes.is_success(status):
        return None
    if httpx2.codes.is_redirect(status):
        return f"answered {status}; redirects are not followed"
    return f"answered {status}"
