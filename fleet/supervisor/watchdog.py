"""Starts the watchdog and reports to it which processes run."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fleet.supervisor import watchdog_process

LAST_SECONDS: Final = 15.0
"""What processes may take to end once their supervisor has ended; longer than any of them needs for an orderly stop."""

_PROGRAM: Final = Path(watchdog_process.__file__)
_RESTART_SECONDS: Final = 1.0
_END_SECONDS: Final = 2.0


class Watchdog:
    """A process that outlives the supervisor and kills everything that the supervisor leaves behind.

    Use it from the main thread alone.
    """

    def __init__(self, *, last_seconds: float = LAST_SECONDS) -> None:
        """Set how long processes may outlive the supervisor; nothing is started yet."""
        self._last_seconds = last_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: int | None = None
        self._next_start = 0.0

    @property
    def pid(self) -> int | None:
        """Its process id."""
        return None if self._process is None else self._process.pid

    def tend(self, running: Iterable[int]) -> None:
        """Start the watchdog unless it runs, and report to it these processes.

        Raises:
            OSError: It cannot be started: the machine is short of processes or memory.
        """
        now = time.monotonic()
        if (self._process is not None and self._process.poll() is None) or now < self._next_start:
            return
        self.stop()
        self._next_start = now + _RESTART_SECONDS
        self._start()
        for pid in running:
            self.add(pid)

    def add(self, pid: int) -> None:
        """Report a process that was started; it leads a session of its own."""
        self._report(b"+%d\n" % pid)

    def remove(self, pid: int) -> None:
        """Report that nothing is left of a process; its number may be given to another."""
        self._report(b"-%d\n" % pid)

    def stop(self) -> None:
        """End the watchdog."""
        self._next_start = 0.0
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_END_SECONDS)
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> None:
        read, write = os.pipe()
        try:
            # A watchdog that does not read must not hold the supervisor up.
            os.set_blocking(write, False)
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", str(_PROGRAM), str(self._last_seconds)],
                stdin=read,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={},
                # What a terminal sends to our group is not for it.
                start_new_session=True,
            )
        except OSError:
            os.close(write)
            raise
        finally:
            os.close(read)
        self._pipe = write

    def _report(self, line: bytes) -> None:
        if self._pipe is not None:
            # One that has died has a successor soon, to which all are reported.
            with contextlib.suppress(BrokenPipeError, BlockingIOError):
                os.write(self._pipe, line)
