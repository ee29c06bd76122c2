"""The HTTP server of a process, which ends streams of events before it waits for answers under way."""

import contextlib
import socket
import sys
from collections.abc import Sequence
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette

from api.server.limits.connection import BoundedConnection, BoundedSocket, Configuration
from runtime.settings import Network

_FAILED_TO_START: Final = 3
_LONGEST_SOCKET_MESSAGE: Final = 4096


class Server(uvicorn.Server):
    """uvicorn, which waits for every answer under way when it stops; streams of events have to be ended first."""

    @classmethod
    def over(cls, app: Starlette, *, trusted_proxies: Sequence[Network] = (), **options: Any) -> "Server":
        """A server of this app; further options are those of `uvicorn.Config`.

        Args:
            app: What is served.
            trusted_proxies: Peers whose `X-Forwarded-For` names the client, read from the right.
            options: As uvicorn has them.
        """
        return cls(
            Configuration(
                app,
                trusted_proxies=trusted_proxies,
                http=BoundedConnection,
                ws=BoundedSocket,
                # A frame of some bytes would be unpacked into megabytes.
                ws_per_message_deflate=False,
                ws_max_size=_LONGEST_SOCKET_MESSAGE,
                log_config=None,
                access_log=False,
                server_header=False,
                **options,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then stop as uvicorn does."""
        app = self.config.app
        if isinstance(app, Starlette):
            app.state.services.end()
        await super().shutdown(sockets)


def serve(app: Starlette, **options: Any) -> None:
    """Serve until a signal stops it; exit with an error when it cannot start."""
    server = Server.over(app, **options)
    # uvicorn raises the signal that stopped it once more when all is done.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_FAILED_TO_START)
