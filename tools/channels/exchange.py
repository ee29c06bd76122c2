"""HTTP requests to a provider: kept connections, one timeout for the whole exchange, and classified failures."""

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import h11
import httpx2

from tools.channels.contract import NotSent, Unknown
from tools.network.connection import Address, AnswerTooLong, OutgoingConnection, RawAnswer
from tools.retry_after import seconds_of

_LARGEST_ANSWER_BYTES: Final = 262_144
_LONGEST_RETRY_AFTER_SECONDS: Final = 3600.0
_PORTS: Final[Mapping[str, int]] = MappingProxyType({"http": 80, "https": 443})

_LONGEST_REST_SECONDS: Final = 15.0
"""A connection that nobody used for longer is not used again: its other end may be about to close it."""


class _UnsentError(Exception):
    """Not a byte of the request has left."""


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
    """Sends requests to one provider over kept connections, safe to share between threads.

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
        self._path = httpx2.URL(self.base_url).raw_path.decode("ascii").removesuffix("/")
        own = {
            "Host": self.host,
            "Accept": "application/json",
            # A compressed answer could be a thousand times as long as what was received.
            "Accept-Encoding": "identity",
            "User-Agent": "unpend",
        }
        self._headers = _by_name(own) | _by_name(headers)
        # What speaks no TLS needs no certificates: 6 MB of each process.
        tls = None
        if url.scheme == "https":
            tls = httpx2.create_ssl_context(trust_env=False)
            tls.set_alpn_protocols(["http/1.1"])
        self._address = Address(url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme], tls)
        self._free = threading.BoundedSemaphore(max_connections)
        self._resting: deque[OutgoingConnection] = deque()

    def __repr__(self) -> str:
        """The provider's address only."""
        return f"Exchange({self.base_url!r})"

    def ask(
        self,
        method: str,
        path: str,
        *,
        timeout_seconds: float,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer | NotSent | Unknown:
        """Send one request and return its answer, within the timeout as a whole.

        Returns:
            The answer, whatever its status; `NotSent` when not a byte has left; `Unknown` when the request
            may have arrived. No reason shows the path: it may hold a number.
        """
        deadline = time.monotonic() + timeout_seconds
        length = {"Content-Length": str(len(body))} if body or method == "POST" else {}
        named = self._headers | _by_name(headers or {}) | _by_name(length)
        try:
            request = h11.Request(method=method, target=self._path + path or "/", headers=[*named.values()])
            with self._connection(timeout_seconds) as connection:
                answer = connection.exchange(
                    request,
                    body,
                    write_seconds=0.1 * timeout_seconds,
                    deadline=deadline,
                    largest=_LARGEST_ANSWER_BYTES,
                )
        except _UnsentError as error:
            return NotSent(f"the provider at {self.base_url} could not be reached: {error}")
        except AnswerTooLong as error:
            return Unknown(f"the provider's answer with status {error.status} is too long")
        except TimeoutError as error:
            return Unknown(f"no answer within {timeout_seconds:g} seconds: {type(error).__name__}")
        except (OSError, h11.ProtocolError) as error:
            return Unknown(f"the connection broke after the request was sent: {type(error).__name__}")
        return _answer_of(answer)

    def close(self) -> None:
        """Close the connections that nobody uses."""
        while self._resting:
            self._resting.pop().close()

    @contextlib.contextmanager
    def _connection(self, timeout_seconds: float) -> Iterator[OutgoingConnection]:
        """A connection for one request; kept for the next one unless the exchange failed.

        Raises:
            _UnsentError: None is free, or none can be made, within its share of the timeout.
        """
        if not self._free.acquire(timeout=0.1 * timeout_seconds):
            raise _UnsentError("too many requests are under way")
        try:
            connection = self._rested() or self._opened(0.2 * timeout_seconds)
            with contextlib.ExitStack() as failed:
                failed.callback(connection.close)
                yield connection
                failed.pop_all()
            self._resting.append(connection)
        finally:
            self._free.release()

    def _rested(self) -> OutgoingConnection | None:
        """The connection that was used last, of those that still stand; the others are closed."""
        with contextlib.suppress(IndexError):
            while True:
                connection = self._resting.pop()
                if connection.may_be_used_again(_LONGEST_REST_SECONDS):
                    return connection
                connection.close()
        return None

    def _opened(self, seconds: float) -> OutgoingConnection:
        try:
            return OutgoingConnection(self._address, seconds=seconds)
        except OSError as error:
            raise _UnsentError(type(error).__name__) from error


def _by_name(headers: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Headers as they are written, by their names in lower case: of one name the last is sent."""
    return {name.lower(): (name, value) for name, value in headers.items()}


def _answer_of(answer: RawAnswer) -> HttpAnswer:
    return HttpAnswer(answer.status, answer.header(b"retry-after"), answer.body, answer.header(b"date"))


def retry_after_seconds(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, in either of its forms (RFC 9110 §10.2.3), at most an hour."""
    return seconds_of(value, at_most=_LONGEST_RETRY_AFTER_SECONDS)
