"""Asks whether a process of this machine is ready."""

import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Final

_PROBE_SECONDS: Final = 2.0


def answers(url: str) -> Callable[[], bool]:
    """Return a probe: the address answers 200."""

    def probe() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=_PROBE_SECONDS) as response:  # noqa: S310 - our own address
                return bool(response.status == 200)  # noqa: PLR2004 - HTTP's OK
        except (urllib.error.URLError, OSError):
            return False

    return probe


def listens(port: int) -> Callable[[], bool]:
    """Return a probe: something listens on this port of this machine."""

    def probe() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=_PROBE_SECONDS).close()
        except OSError:
            return False
        return True

    return probe
