"""Free ports of this machine."""

import random
import socket
import time
from typing import Final

_PATIENCE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.05
_FIRST: Final = 10_240
_BEHIND: Final = 32_768
_TRIES: Final = 100


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on now.

    It lies below those that Linux gives to outgoing connections (`ip_local_port_range`, from 32768): one of these may
    have a free one before we do. What takes it all the same is reported by the supervisor, as the server fails to bind.
    """
    for _ in range(_TRIES):
        port = random.randrange(_FIRST, _BEHIND)  # noqa: S311 - spreads servers, hides nothing
        if _is_free(port):
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        given: int = probe.getsockname()[1]
    return given


def same_port(last: int | None) -> int:
    """Return the port of the last run, unless there was none or another program has it; then a free one.

    A process of the last run that is still ending gets 5 s to give it up.
    """
    if last is None:
        return free_port()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _is_free(last):
        if time.monotonic() > deadline:
            return free_port()
        time.sleep(_LOOK_SECONDS)
    return last


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # Connections that have ended linger on a port for a minute; a server may listen on it all the same.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
