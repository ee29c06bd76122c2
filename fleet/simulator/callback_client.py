"""Posts callbacks over kept HTTP/1.1 connections, with little CPU for each."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import h11
import httpx2

_PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Server:
    """A server that takes callbacks."""

    scheme: str
    host: str
    port: int


@dataclass(slots=True)
class CallbackClient:
    """Keeps connections to each server; as many posts at the same time as there are callers.

    Belongs to the event loop it is used in.
    """

    _resting: dict[_Server, list["_Connection"]] = field(default_factory=dict)
    _tls: ssl.SSLContext | None = None

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post a body; return the status of the answer.

        Raises:
            OSError: There is no connection, or it ended before the answer.
            h11.ProtocolError: What came is no answer.
            httpx2.InvalidURL: The address is none.
        """
        address = httpx2.URL(url)
        server = _Server(address.scheme, address.host, address.port or _PORTS[address.scheme])
        request = h11.Request(
            method="POST",
            target=address.raw_path,
            headers=[
                ("Host", address.netloc.decode("ascii")),
                ("Content-Length", str(len(body))),
                *headers.items(),
            ],
        )
        resting = self._resting.setdefault(server, [])
        while resting and not resting[-1].stands:
            resting.pop()
        connection = resting.pop() if resting else await self._opened(server)
        try:
            status = await connection.exchange(request, body)
        finally:
            if connection.stands:
                resting.append(connection)
        return status

    def close(self) -> None:
        """Close the connections that nobody uses."""
        for resting in self._resting.values():
            while resting:
                resting.pop().close()

    async def _opened(self, server: _Server) -> "_Connection":
        if server.scheme == "https" and self._tls is None:
            self._tls = ssl.create_default_context()
        _, connection = await asyncio.get_running_loop().create_connection(
            _Connection, server.host, server.port, ssl=self._tls if server.scheme == "https" else None
        )
        return connection


class _Connection(asyncio.Protocol):
    """One connection, with one request at a time."""

    def __init__(self) -> None:
        self._state = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._status = 0

    @property
    def stands(self) -> bool:
        """Whether a request may be sent."""
        return self._transport is not None and self._answer is None

    async def exchange(self, request: h11.Request, body: bytes) -> int:
        """Send a request; return the status of its answer. A caller that gives up ends the connection."""
        assert self._transport is not None, "asked only while it stands"
        events = (request, h11.Data(data=body), h11.EndOfMessage())
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(b"".join(self._state.send(event) or b"" for event in events))
        try:
            return await self._answer
        finally:
            self._answer = None
            if self._state.states == {h11.CLIENT: h11.DONE, h11.SERVER: h11.DONE}:
                self._state.start_next_cycle()
            else:
                self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read what came; the end of an answer wakes whoever waits for it."""
        if self._answer is None:
            # Nothing was asked for.
            self.close()
            return
        try:
            self._state.receive_data(data)
            while (event := self._state.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if isinstance(event, h11.Response):
                    self._status = event.status_code
                elif isinstance(event, h11.EndOfMessage):
                    self._end(None)
        except h11.ProtocolError as error:
            self._end(error)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing comes any more."""
        self._transport = None
        self._end(exc or ConnectionResetError("the connection ended before the answer"))

    def _end(self, error: Exception | None) -> None:
        if self._answer is None or self._answer.done():
            return
        if error is None:
            self._answer.set_result(self._status)
        else:
            self._answer.set_exception(error)
