"""Whether a process that a file names is still that process."""

from typing import Final

import psutil

_SLACK: Final = 5.0
"""Seconds the start of a process may seem later than it was, when the machine's clock is set meanwhile."""


def is_alive(pid: int, named_at: float) -> bool:
    """Whether this process lives and began before the file that names it was written (seconds since 1970).

    A number that another process was given since does not count, nor does a process that is dead and not
    yet reaped.
    """
    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and process.create_time() <= named_at + _SLACK)
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
