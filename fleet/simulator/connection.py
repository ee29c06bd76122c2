"""An HTTP connection that can be dropped without an answer, to simulate a fault."""

import asyncio
from typing import Any, Final

from starlette.requests import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from api.server.limits.joined_writes import JoinedWrites

_OPEN: Final = "open_connections"


class DroppableConnection(H11Protocol):
    """uvicorn's connection, registered by the peer's address in the application's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        """Register the transport for `drop`."""
        super().connection_made(JoinedWrites(transport))  # type: ignore[arg-type]
        self.app_state.setdefault(_OPEN, {})[self.client] = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the transport."""
        self.app_state.get(_OPEN, {}).pop(self.client, None)
        super().connection_lost(exc)


def drop(request: Request) -> None:
    """Close the request's connection at once; an answer given afterwards is lost.

    Raises:
        LookupError: The server does not run with `DroppableConnection`.
    """
    state: dict[str, Any] = request.scope.get("state", {})
    client = request.client
    transport: asyncio.Transport = state[_OPEN][(client.host, client.port) if client else None]
    transport.abort()
