"""HTTP requests to a provider: a pooled client, one timeout for the whole exchange, and classified failures."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import httpx2

from tools.channels.contract import NotSent, Unknown
from tools.retry_after import seconds_of

_LARGEST_ANSWER_BYTES: Final = 262_144
_LONGEST_RETRY_AFTER_SECONDS: Final = 3600.0

_Unsent = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
"""Raised before a byte of the request has left."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The HTTP answer of a provider; the body may name people, so `repr` omits it."""

    status: int
    retry_after: str | None
    body: bytes = field(repr=False)
    date: str | None = None
    """When it was answered, by the provider's clock (RFC 9110 §6.6.1)."""

    def document(self) -> Mapping[str, object] | None:
        """The JSON object in the body, None when there is none."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None


class Exchange:
    """Sends requests to one provider over a pooled HTTP client, safe to share between threads.

    Args:
        base_url: The provider's address.
        setting: Where the address was configured, named when it is wrong.
        headers: Sent with every request; never shown.
        max_connections: Requests that may be under way at once; others wait their share of the timeout.

    Raises:
        ValueError: `base_url` is no http or https address, or holds a name or password.
    """

    def __init__(
        self, base_url: str, *, setting: str, headers: Mapping[str, str], max_connections: int
    ) -> None:
        url = httpx2.URL(base_url)
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError(f"{setting} must be an address as http://host:port or https://host")
        if url.userinfo:
            raise ValueError(
                f"{setting} must not hold a name or password; secrets have settings of their own"
            )
        self.base_url: Final = str(url).rstrip("/")
        self.host: Final = url.netloc.decode("ascii")
        self._client = httpx2.Client(
            headers={"Accept": "application/json", **headers},
            limits=httpx2.Limits(
                max_connections=max_connections,
                max_keepalive_connections=max_connections,
                keepalive_expiry=15.0,
            ),
            follow_redirects=False,
            # A proxy from the environment would turn "refused" into an answer of its own.
            trust_env=False,
            # What speaks no TLS needs no certificates: 6 MB of each process.
            verify=url.scheme == "https",
        )

    def __repr__(self) -> str:
        """The provider's address only."""
        return f"Exchange({self.base_url!r})"

    def ask(
        self,
        method: str,
        path: str,
        *,
        timeout_seconds: float,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer | NotSent | Unknown:
        """Send one request and return its answer, within the timeout as a whole.

        Returns:
            The answer, whatever its status; `NotSent` when not a byte has left; `Unknown` when the request
            may have arrived. No reason shows the path: it may hold a number.
        """
        try:
            return self._exchange(method, path, timeout_seconds, body, headers)
        except _Unsent as error:
            return NotSent(f"the provider at {self.base_url} could not be reached: {type(error).__name__}")
        except httpx2.TimeoutException as error:
            return Unknown(f"no answer within {timeout_seconds:g} seconds: {type(error).__name__}")
        except httpx2.RequestError as error:
            return Unknown(f"the connection broke after the request was sent: {type(error).__name__}")

    def close(self) -> None:
        """Close the pooled connections."""
        self._client.close()

    def _exchange(
        self,
        method: str,
        path: str,
        timeout_seconds: float,
        body: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> HttpAnswer | Unknown:
        """The phases' shares add up to the timeout, so it holds for the whole."""
        deadline = time.monotonic() + timeout_seconds
        shares = httpx2.Timeout(
            pool=0.1 * timeout_seconds,
            connect=0.2 * timeout_seconds,
            write=0.1 * timeout_seconds,
            read=0.6 * timeout_seconds,
        )
        with self._client.stream(
            method, self.base_url + path, content=body, headers=headers, timeout=shares
        ) as response:
            received = bytearray()
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > _LARGEST_ANSWER_BYTES or time.monotonic() > deadline:
                    return Unknown(f"the provider's answer with status {response.status_code} is too long")
            return HttpAnswer(
                response.status_code,
                response.headers.get("Retry-After"),
                bytes(received),
                response.headers.get("Date"),
            )


def retry_after_seconds(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, in either of its forms (RFC 9110 §10.2.3), at most an hour."""
    return seconds_of(value, at_most=_LONGEST_RETRY_AFTER_SECONDS)
