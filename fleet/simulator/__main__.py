"""`python -m fleet.simulator --port N --state FILE`, with the two secrets in the environment."""

import argparse
import os
import socket
import sqlite3
import sys
from pathlib import Path
from typing import Final

import uvicorn

from fleet.simulator.connection import DroppableConnection
from fleet.simulator.server import Simulator
from runtime.logs import configure, logger

TOKEN_VARIABLE: Final = "UNPEND_CHANNEL_TOKEN"  # noqa: S105 - the name of the variable
SECRET_VARIABLE: Final = "UNPEND_CALLBACK_SECRET"  # noqa: S105 - the name of the variable
_BACKLOG: Final = 1024


def main() -> int:
    """Serve on 127.0.0.1 until SIGTERM or SIGINT.

    Returns:
        2 when the environment is not enough, 1 when the port or the state file cannot be used.
    """
    parser = argparse.ArgumentParser(prog="python -m fleet.simulator", description="The simulated customer.")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="SQLite file, made when absent")
    parser.add_argument("--seed", default="unpend", help="draws the customers of orders without a script")
    arguments = parser.parse_args()
    token, secret = os.environ.get(TOKEN_VARIABLE, ""), os.environ.get(SECRET_VARIABLE, "")
    if not token or not secret:
        sys.stderr.write(f"simulator: set {TOKEN_VARIABLE} and {SECRET_VARIABLE} in the environment\n")
        return 2
    configure(service="unpend-simulator")
    try:
        listener = socket.create_server(("127.0.0.1", arguments.port), backlog=_BACKLOG)
    except OSError as error:
        sys.stderr.write(f"simulator: cannot listen on 127.0.0.1:{arguments.port}: {error.strerror}\n")
        return 1
    # asyncio sets this only on sockets it opened; without it an answer of two writes waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        simulator = Simulator(arguments.state, token=token, secret=secret, seed=arguments.seed)
    except (OSError, sqlite3.Error) as error:
        sys.stderr.write(f"simulator: cannot use the state file {arguments.state}: {error}\n")
        return 1
    server = uvicorn.Server(
        uvicorn.Config(
            simulator.application(),
            http=DroppableConnection,
            log_config=None,
            access_log=False,
            # Nobody stands between.
            proxy_headers=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=5,
        )
    )
    logger("fleet.simulator").info("simulator listening", address="127.0.0.1", port=listener.getsockname()[1])
    server.run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
