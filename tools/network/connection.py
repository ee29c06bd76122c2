"""One HTTP/1.1 connection: a request is sent in one piece, its answer is read before a deadline."""

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import h11

_READ_BYTES: Final = 65_536


class AnswerTooLong(Exception):
    """The body of an answer has more bytes than may be read.

    Attributes:
        status: The status of that answer.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"the answer with status {status} is too long")
        self.status = status


@dataclass(frozen=True, slots=True)
class Address:
    """Where the other side is reached.

    Attributes:
        host: The name or number to connect to; also whom the certificate must name.
        port: The port.
        tls: What verifies the other side; None for plain HTTP.
        peer: The IP address to connect to, where the name was resolved before.
    """

    host: str
    port: int
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """The answer to a request, as received."""

    status: int
    headers: Sequence[tuple[bytes, bytes]] = field(repr=False)
    body: bytes = field(repr=False)

    def header(self, name: bytes) -> str | None:
        """The first header of this name, given in lower case; None when there is none."""
        return next((value.decode("latin-1") for key, value in self.headers if key == name), None)


class OutgoingConnection:
    """An open connection; one request at a time.

    A general client spends five times the CPU on a request; on a batch of contacts that is most of what they cost.
    """

    def __init__(self, address: Address, *, seconds: float) -> None:
        """Connect.

        Raises:
            OSError: It could not be made within this time, or the other side is not who it should be.
        """
        plain = socket.create_connection((address.peer or address.host, address.port), timeout=seconds)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            tls = address.tls
            self._socket = plain if tls is None else tls.wrap_socket(plain, server_hostname=address.host)
        except OSError:
            plain.close()
            raise
        self._state = h11.Connection(h11.CLIENT)
        self._rested_at = time.monotonic()

    def exchange(
        self, request: h11.Request, body: bytes, *, write_seconds: float, deadline: float, largest: int
    ) -> RawAnswer:
        """Send a request and return its answer.

        Args:
            request: The request, with the length of its body.
            body: Its body.
            write_seconds: How long sending may take.
            deadline: When the answer must be there, by the monotonic clock.
            largest: Bytes the body of the answer may have.

        Raises:
            AnswerTooLong: The body of the answer is larger.
            TimeoutError: The answer, or a part of it, did not come in time.
            OSError: The connection broke.
            h11.ProtocolError: What came is no answer.
        """
        state = self._state
        sent = b"".join(
            state.send(event) or b"" for event in (request, h11.Data(data=body), h11.EndOfMessage())
        )
        self._socket.settimeout(write_seconds)
        # Who answers before all is sent may stop to read; the answer says more than that does.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(sent)
        answer, received = None, bytearray()
        while True:
            event = self._next_event()
            if event is h11.NEED_DATA:
                state.receive_data(self._received(deadline))
            elif isinstance(event, h11.Response):
                answer = event
            elif isinstance(event, h11.Data) and answer is not None:
                received += event.data
                if len(received) > largest:
                    raise AnswerTooLong(answer.status_code)
            elif isinstance(event, h11.EndOfMessage) and answer is not None:
                self._rested_at = time.monotonic()
                return RawAnswer(answer.status_code, list(answer.headers), bytes(received))
            elif not isinstance(event, h11.InformationalResponse):
                raise _ended_early()

    def may_be_used_again(self, rested_seconds: float) -> bool:
        """Prepare for the next request; False when it has to be closed, or rested longer than this."""
        if time.monotonic() - self._rested_at > rested_seconds:
            return False
        if self._state.our_state is not h11.IDLE:
            try:
                self._state.start_next_cycle()
            except h11.LocalProtocolError:
                return False
        waiting = select.poll()
        waiting.register(self._socket, select.POLLIN)
        # Nothing was asked for: what can be read is the end of the connection, or nonsense.
        return not waiting.poll(0)

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._state.next_event()
        except h11.RemoteProtocolError:
            if self._state.trailing_data[1]:
                # What came is an answer as far as it goes.
                raise _ended_early() from None
            raise

    def _received(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not come in time")
        self._socket.settimeout(left)
        return self._socket.recv(_READ_BYTES)


def _ended_early() -> ConnectionError:
    return ConnectionError("the connection ended before the answer did")
