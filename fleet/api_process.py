"""`python -m fleet.api_process`: runs the API as a process."""

import os
from importlib.metadata import version
from typing import Final

from api.app import create_app
from api.server.process import serve
from runtime import logs
from runtime.settings import Settings
from workers.app import make_app
from workers.process import Process

_STREAMS_END: Final = 3
"""Seconds open streams are given when the process is stopped."""


def main() -> None:
    """Serve the API until a signal stops it."""
    settings = Settings.read()
    logs.configure(service="unpend-api", level=settings.log_level, style=settings.log_format)
    process = Process(settings, make_app(settings), name="api")
    app = create_app(process, version("unpend"))
    # Before the first request, and with what was imported kept out of the garbage collector's sight.
    process.warm()
    serve(
        app,
        host=os.environ.get("UNPEND_API_ADDRESS", "127.0.0.1"),
        port=int(os.environ.get("UNPEND_API_PORT", "8080")),
        trusted_proxies=settings.trusted_networks,
        timeout_graceful_shutdown=_STREAMS_END,
    )


if __name__ == "__main__":
    main()
