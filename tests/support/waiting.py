"""Waiting on a condition, with a bound that only a failure meets and words for what was waited for."""

import time
from collections.abc import Callable
from typing import Final

import psutil

PATIENCE_SECONDS: Final = 180.0


def wait_until(
    condition: Callable[[], object],
    what: str = "the condition holds",
    *,
    seconds: float = PATIENCE_SECONDS,
    pause: float = 0.01,
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


def pid_is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return is_alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False
