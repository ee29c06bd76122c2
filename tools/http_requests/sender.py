"""Sends an HTTP request by the rules of the installation: to the addresses that were checked, within one time limit."""

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Final, Literal

import h11
import httpx2

from tools.http_requests.content import LARGEST_BODY, UnfitContent, read_content
from tools.http_requests.masking import Mask
from tools.http_requests.resolving import Resolve, resolve
from tools.http_requests.rules import Destination, HttpRules
from tools.network.address import AddressRefused
from tools.network.connection import Address, AnswerTooLong, OutgoingConnection, RawAnswer

MOST_REDIRECTS: Final = 5
"""Redirects that are followed."""
ONCE: Final = frozenset({"POST", "PATCH"})
"""Methods that may do something anew each time."""

_KEPT_HEADERS: Final = (
    "content-type", "etag", "last-modified", "link", "location", "retry-after", "x-request-id",
)  # fmt: skip
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SAME_METHOD: Final = frozenset({307, 308})
_OF_THE_BODY: Final = frozenset({"content-type", "content-length"})
_OF_THE_ORIGIN: Final = frozenset({"authorization", "cookie", "proxy-authorization", "unpend-callback"})
"""Headers that are for the host they were written for, whatever stands in them."""

FaultCode = Literal["not_allowed", "timeout", "unavailable", "too_large", "invalid_output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingRequest:
    """A request ready to be sent; its headers by their names in lower case, without those of the connection."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    seconds: float
    followed: bool = True
    """Whether redirects are followed; otherwise they are answers like others."""
    callback: bool = False
    """Whether whoever takes it is to call back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestAnswer:
    """What was answered, without secrets."""

    status: int
    headers: Mapping[str, str]
    body: object = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFault:
    """Why there is no answer; the message is for people and holds no secret."""

    code: FaultCode
    message: str
    may_have_acted: bool
    """Whether the other side may have done what was asked, by a method that does it anew each time."""


class _Fault(Exception):
    def __init__(self, code: FaultCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def _context() -> ssl.SSLContext:
    context = httpx2.create_ssl_context(trust_env=False)
    context.set_alpn_protocols(["http/1.1"])
    return context


class HttpSender:
    """Sends requests, each over a connection of its own; safe to share between threads."""

    def __init__(
        self,
        rules: HttpRules,
        *,
        resolver: Resolve = resolve,
        make_tls: Callable[[], ssl.SSLContext] = _context,
    ) -> None:
        """Take the rules, what resolves names, and what makes the context that verifies the other side."""
        self.rules = rules
        self.mask: Final[Mask] = rules.mask
        self._resolve = resolver
        self._make_tls = make_tls

    def send(self, request: OutgoingRequest) -> RequestAnswer | RequestFault:
        """Send a request, and again where its answer leads; whatever goes wrong is in the result."""
        return _Sending(self, request, time.monotonic() + request.seconds).result()

    @cached_property
    def tls(self) -> ssl.SSLContext:
        """What verifies the other side; 6 MB that are made when they are needed."""
        return self._make_tls()

    def connect(self, destination: Destination, deadline: float) -> OutgoingConnection:
        """A connection to an address of the host, of those that were checked.

        Raises:
            AddressRefused: one of its addresses may not be spoken to.
            OSError: none could be reached in time.
        """
        peers = self._resolve(destination.host, destination.port, deadline - time.monotonic())
        destination.check_peers(peers)
        tls = self.tls if destination.url.scheme == "https" else None
        failure: OSError = TimeoutError("the host was not reached in time")
        for peer in peers:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                # To the address itself: resolved once more, the name might lead elsewhere.
                address = Address(destination.host, destination.port, tls, peer)
                return OutgoingConnection(address, seconds=left)
            except OSError as error:
                failure = error
        raise failure


@dataclass(slots=True)
class _Sending:
    """One request on its way, through its redirects."""

    sender: HttpSender
    request: OutgoingRequest
    deadline: float
    may_have_acted: bool = False

    def result(self) -> RequestAnswer | RequestFault:
        try:
            return self._followed()
        except AddressRefused as error:
            return self._fault("not_allowed", str(error))
        except _Fault as error:
            return self._fault(error.code, str(error))

    def _fault(self, code: FaultCode, message: str) -> RequestFault:
        return RequestFault(
            code=code, message=self.sender.mask.text(message), may_have_acted=self.may_have_acted
        )

    def _followed(self) -> RequestAnswer:
        for _ in range(MOST_REDIRECTS + 1):
            destination = self.sender.rules.destination(self.request.method, self.request.url)
            answer = self._exchanged(destination)
            location = answer.header(b"location")
            if not self.request.followed or answer.status not in _REDIRECTS or location is None:
                return self._answer_of(answer)
            self._redirect(destination, answer.status, location)
        raise _Fault("not_allowed", f"more than {MOST_REDIRECTS} redirects")

    def _exchanged(self, destination: Destination) -> RawAnswer:
        request = self.request
        try:
            head = h11.Request(
                method=request.method, target=destination.target, headers=self._headers(destination)
            )
        except h11.LocalProtocolError:
            # Its message would show the header.
            raise AddressRefused("the address or a header cannot be sent by HTTP") from None
        try:
            connection = self.sender.connect(destination, self.deadline)
        except TimeoutError:
            raise _Fault("timeout", f"'{destination.host}' was not reached in time") from None
        except OSError as error:
            raise _Fault(
                "unavailable", f"no connection to '{destination.host}': {type(error).__name__}"
            ) from None
        try:
            self.may_have_acted = self.may_have_acted or request.method in ONCE
            return self._asked(connection, head, destination)
        finally:
            connection.close()

    def _asked(
        self, connection: OutgoingConnection, head: h11.Request, destination: Destination
    ) -> RawAnswer:
        try:
            return connection.exchange(
                head,
                self.request.body,
                write_seconds=max(self.deadline - time.monotonic(), 0.001),
                deadline=self.deadline,
                largest=LARGEST_BODY,
            )
        except AnswerTooLong as error:
            raise _Fault(
                "too_large", f"the answer with status {error.status} has more than {LARGEST_BODY:,} bytes"
            ) from None
        except TimeoutError:
            raise _Fault(
                "timeout", f"'{destination.host}' did not answer within {self.request.seconds:g} seconds"
            ) from None
        except h11.ProtocolError:
            raise _Fault("invalid_output", f"what '{destination.host}' answered is no HTTP") from None
        except OSError as error:
            raise _Fault(
                "unavailable", f"the connection to '{destination.host}' broke: {type(error).__name__}"
            ) from None

    def _headers(self, destination: Destination) -> list[tuple[str, str]]:
        request = self.request
        length = {"content-length": str(len(request.body))} if request.body or request.method in ONCE else {}
        of_connection = {
            "host": destination.url.netloc.decode("ascii"),
            "connection": "close",
            # A compressed answer could be a thousand times as long as what was received.
            "accept-encoding": "identity",
            "user-agent": "unpend",
        }
        return [*of_connection.items(), *request.headers.items(), *length.items()]

    def _redirect(self, source: Destination, status: int, location: str) -> None:
        """Make of the request the one that the answer leads to.

        Raises:
            AddressRefused: it leads where what belongs to the first host would have to go, too.
        """
        request = self.request
        if status in _SAME_METHOD:
            # Asked to ask elsewhere: it has done nothing itself.
            self.may_have_acted = False
        elif status == httpx2.codes.SEE_OTHER or request.method == "POST":
            method = request.method if request.method == "HEAD" else "GET"
            headers = {name: each for name, each in request.headers.items() if name not in _OF_THE_BODY}
            request = replace(request, method=method, headers=headers, body=b"")
        try:
            url = str(source.url.join(location))
        except (httpx2.InvalidURL, ValueError):
            raise AddressRefused("it redirects to what cannot be read as a URL") from None
        request = replace(request, url=url.partition("#")[0])
        if self.sender.rules.destination(request.method, request.url).origin != source.origin:
            request = self._for_another(request)
        self.request = request

    def _for_another(self, request: OutgoingRequest) -> OutgoingRequest:
        """The request without what belongs to the host it was written for."""
        mask = self.sender.mask
        if request.callback or mask.holds(request.body.decode("utf-8", "replace")) or mask.holds(request.url):
            raise AddressRefused(
                "it redirects to another host, which may not be given the secret or the callback address"
            )
        headers = {
            name: each
            for name, each in request.headers.items()
            if name not in _OF_THE_ORIGIN and not mask.holds(each)
        }
        return replace(request, headers=MappingProxyType(headers))

    def _answer_of(self, answer: RawAnswer) -> RequestAnswer:
        mask = self.sender.mask
        encoding = answer.header(b"content-encoding")
        if encoding is not None and encoding.strip().lower() not in {"", "identity"}:
            raise _Fault("invalid_output", "the answer is compressed, which was not asked for")
        try:
            body = read_content(answer.body, answer.header(b"content-type"))
        except UnfitContent as error:
            raise _Fault("invalid_output", f"the answer with status {answer.status}: {error}") from None
        found = {name: answer.header(name.encode()) for name in _KEPT_HEADERS}
        return RequestAnswer(
            status=answer.status,
            headers={name: mask.text(each) for name, each in found.items() if each is not None},
            body=mask.value(body),
        )
