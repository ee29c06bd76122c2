"""`python -m workers.probe URL|AGENT`: a container's health as its exit status.

A URL is healthy when it answers 200. An agent is healthy when its worker answers a ping; that does not prove
that its pool moves, which the alert on the oldest waiting step does.
"""

import socket
import sys
import urllib.request

_SECONDS = 5.0


def answers(url: str) -> bool:
    """Whether this URL answers 200 within five seconds."""
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - the address is ours
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP's own number
    except OSError:
        return False


def answers_ping(agent: str) -> bool:
    """Whether the worker of this agent on this host answers a ping within five seconds."""
    from kombu.exceptions import OperationalError

    from runtime.settings import Settings
    from workers.app import make_app

    inspect = make_app(Settings.read()).control.inspect([f"{agent}@{socket.gethostname()}"], timeout=_SECONDS)
    try:
        return bool(inspect.ping())
    except OperationalError:
        return False


if __name__ == "__main__":
    target = sys.argv[1]
    raise SystemExit(0 if (answers(target) if "://" in target else answers_ping(target)) else 1)
