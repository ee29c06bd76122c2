"""Waiting on a condition, with a deadline and words for what was waited for."""

import time
from collections.abc import Callable

import psutil


def wait_until(
    condition: Callable[[], object],
    what: str,
    *,
    seconds: float = 180,
    pause: float = 0.02,
    explain: Callable[[], str] = str,
) -> None:
    """Return as soon as the condition holds.

    Raises:
        AssertionError: it did not within `seconds`; the message says what was waited for and how things stand.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds:g} s still waiting until {what}. {explain()}"
        time.sleep(pause)


def is_alive(process: psutil.Process) -> bool:
    """Whether this very process, not another with its id, still runs; a zombie does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
