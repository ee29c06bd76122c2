"""`python -m fleet.console_process`: runs the console as a process."""

import os
from typing import Final

from api.server.process import serve
from console.app import create_console
from runtime import logs
from runtime.settings import Settings
from workers.app import make_app
from workers.process import Process

_STREAMS_END: Final = 3
"""Seconds open streams are given when the process is stopped."""


def main() -> None:
    """Serve the console until a signal stops it."""
    settings = Settings.read()
    logs.configure(service="unpend-console", level=settings.log_level, style=settings.log_format)
    process = Process(settings, make_app(settings), name="console")
    app = create_console(process)
    process.warm()
    serve(
        app,
        host=os.environ.get("UNPEND_CONSOLE_ADDRESS", "127.0.0.1"),
        port=int(os.environ.get("UNPEND_CONSOLE_PORT", "8081")),
        trusted_proxies=settings.trusted_networks,
        timeout_graceful_shutdown=_STREAMS_END,
    )


if __name__ == "__main__":
    main()
