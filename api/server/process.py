"""The HTTP server of a process, which ends streams of events before it waits for answers under way."""

import contextlib
import socket
import sys
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

_FAILED_TO_START: Final = 3
_LONGEST_SOCKET_MESSAGE: Final = 65_536


class Server(uvicorn.Server):
    """uvicorn, which waits for every answer under way when it stops; streams of events have to be ended first."""

    @classmethod
    def over(cls, app: FastAPI, **options: Any) -> "Server":
        """A server of this app; the options are those of `uvicorn.Config`."""
        return cls(
            uvicorn.Config(
                app,
                http="h11",
                log_config=None,
                access_log=False,
                server_header=False,
                ws_max_size=_LONGEST_SOCKET_MESSAGE,
                **options,
            )
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then stop as uvicorn does."""
        app = self.config.app
        if isinstance(app, FastAPI):
            app.state.services.end()
        await super().shutdown(sockets)


def serve(app: FastAPI, **options: Any) -> None:
    """Serve until a signal stops it; exit with an error when it cannot start."""
    server = Server.over(app, **options)
    # uvicorn raises the signal that stopped it once more when all is done.
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(_FAILED_TO_START)
