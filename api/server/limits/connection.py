"""A connection of the HTTP server: bounded in number, and in how long a request may take to arrive."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from types import MappingProxyType
from typing import Any, Final

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from api.server.limits.joined_writes import JoinedWrites
from runtime.settings import Network

HEADERS_SECONDS: Final = 15.0
"""How long the headers of a request may take to arrive."""
BODY_SECONDS: Final = 60.0
"""How long its body may take, while we read it."""
MOST_CONNECTIONS: Final = 1000
"""Connections of one process at the same time."""
MOST_OF_ADDRESS: Final = 250
"""Connections of one peer at the same time; a trusted proxy, behind which many stand, may have all of them."""


_TIMES: Final[Mapping[object, Callable[[], float]]] = MappingProxyType(
    {h11.IDLE: lambda: HEADERS_SECONDS, h11.SEND_BODY: lambda: BODY_SECONDS}
)
"""By what a request has still to send, how long that may take."""


class Configuration(uvicorn.Config):
    """uvicorn's configuration, with the proxies that may say for whom they ask."""

    def __init__(self, app: Any, *, trusted_proxies: Sequence[Network], **options: Any) -> None:
        """Take the options of uvicorn; without a trusted proxy nobody is believed who names another."""
        super().__init__(
            app,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=[str(network) for network in trusted_proxies],
            **options,
        )
        self.trusted_proxies = tuple(trusted_proxies)


class BoundedConnection(H11Protocol):
    """uvicorn's connection, which is ended when it sends too slowly or when there are too many."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or end it at once where there are too many."""
        super().connection_made(JoinedWrites(transport))  # type: ignore[arg-type]
        if len(self.connections) > MOST_CONNECTIONS or self._is_one_too_many():
            transport.abort()
            return
        self._expect(HEADERS_SECONDS)

    def handle_events(self) -> None:
        """Read on, and give what is still to come its time; uvicorn calls this for what was sent ahead as well."""
        before = self.conn.their_state
        super().handle_events()
        state = self.conn.their_state
        if self.transport.is_closing() or state not in _TIMES:
            self._expect_nothing()
        elif state is not before or self._deadline is None:
            self._expect(_TIMES[state]())

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand over to the socket's own protocol, which has deadlines of its own."""
        self._expect_nothing()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is expected any more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def _is_one_too_many(self) -> bool:
        if self.client is None or self._is_trusted(self.client[0]):
            return False
        # uvicorn keeps HTTP connections and WebSockets in one set; each has its peer.
        peers = [getattr(one, "client", None) for one in self.connections]
        of_address = sum(peer is not None and peer[0] == self.client[0] for peer in peers)
        return bool(of_address > MOST_OF_ADDRESS)

    def _is_trusted(self, peer: str) -> bool:
        assert isinstance(self.config, Configuration)
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        return any(address in network for network in self.config.trusted_proxies)

    def _expect(self, seconds: float) -> None:
        self._expect_nothing()
        self._deadline = self.loop.call_later(seconds, self._end_late)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end_late(self) -> None:
        if self.flow.read_paused:
            # The route has not read what came: that is no fault of the other side.
            self._expect(BODY_SECONDS)
        else:
            self.transport.abort()


class BoundedSocket(WSProtocol):
    """uvicorn's WebSocket, which reads nothing more before it was accepted."""

    def handle_connect(self, event: Any) -> None:
        """Take the handshake, and no frame behind it: nothing is held for who has not shown a key."""
        super().handle_connect(event)
        self.read_paused = True
        self.transport.pause_reading()
