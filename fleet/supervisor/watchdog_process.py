"""The watchdog's program: kills what a supervisor has started and not stopped, some time after its end.

The supervisor keeps the write end of its standard input and reports through it which processes run: `+PID` for one that
was started, `-PID` for one that is gone with everything it had started. The end of that input is the end of the
supervisor, whatever ended it. What still runs after a last time for an orderly stop is killed (SIGKILL): this
process waits for nobody, so nothing that they do, not even being frozen, can hold it up.

It is run as a file by an isolated interpreter, and imports nothing of the project: it is there within a moment.
"""

import contextlib
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import psutil

_LOOK_SECONDS: Final = 0.2
_LONGEST_KILLING_SECONDS: Final = 5.0
"""After that, what is left cannot be killed: the kernel holds it."""


def main(seconds: float) -> None:
    """Wait for the supervisor's end; give its processes so many seconds, and kill what remains."""
    sessions = _reported(sys.stdin.buffer)
    running: list[psutil.Process] = []
    over = time.monotonic() + seconds
    while running := _running(sessions, running):
        now = time.monotonic()
        if now > over + _LONGEST_KILLING_SECONDS:
            return
        if now >= over:
            for process in running:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        time.sleep(_LOOK_SECONDS)


def _reported(lines: Iterable[bytes]) -> set[int]:
    """Read until the supervisor has ended; the processes that it had running then."""
    reported: set[int] = set()
    for line in lines:
        pid = int(line[1:])
        if line.startswith(b"+"):
            reported.add(pid)
        else:
            reported.discard(pid)
    return reported


def _running(sessions: set[int], earlier: Iterable[psutil.Process]) -> list[psutil.Process]:
    """The processes of these sessions, their descendants, and those found earlier, that have not ended.

    Every process of the fleet leads a session, and some of what it starts leaves it (a server's backends). A session
    without a process is dropped from `sessions`: its number may be given to another.
    """
    children: dict[int, list[psutil.Process]] = defaultdict(list)
    found = {process.pid: process for process in earlier if _lives(process)}
    inhabited: set[int] = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
            children[process.ppid()].append(process)
            session = os.getsid(process.pid)
            if session in sessions and _lives(process):
                inhabited.add(session)
                found[process.pid] = process
    sessions &= inhabited
    parents = list(found)
    while parents:
        for process in children[parents.pop()]:
            if process.pid not in found and _lives(process):
                found[process.pid] = process
                parents.append(process.pid)
    return list(found.values())


def _lives(process: psutil.Process) -> bool:
    """Whether this very process, not another with its id, has not ended; a zombie has."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


if __name__ == "__main__":
    main(float(sys.argv[1]))
