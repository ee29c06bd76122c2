"""Free ports of this machine."""

import socket


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nothing listens on now.

    Another process may take it before we do; the server that then fails to bind is reported by the
    supervisor.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert isinstance(port, int)
    return port
