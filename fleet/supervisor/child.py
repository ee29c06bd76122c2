"""A child process: started in its own session, signalled, and removed with all its descendants."""

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import psutil

from fleet.supervisor.log_file import last_lines, open_log
from fleet.supervisor.process import ProcessSpec
from fleet.supervisor.warm_parent import ForkedProcess, WarmParent

_PR_SET_PDEATHSIG: Final = 1
_REAP_SECONDS: Final = 5.0
# What a terminal or a person sends us; a child starts with their default meaning even if we ignore them
# (a shell starts background jobs with SIGINT ignored).
_STOPPING: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP})


class Child:
    """A process started from its specification.

    Attributes:
        spec: What it was started from.
        pid: Its process id, and that of its process group.
        started: When, on the monotonic clock.
    """

    def __init__(self, spec: ProcessSpec, warm: WarmParent | None = None) -> None:
        """Start the process; one that may be forked by the warm parent, if that is there.

        Call from the main thread only: the kernel sends the death signal when the *thread* that forked ends.

        Raises:
            OSError: It cannot be started: no such program, no permission, no such user.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("processes are started from the main thread only")
        log = open_log(spec.log_file)
        self._log_begin = os.fstat(log).st_size
        self._cleared = False
        try:
            forked = _forked(spec, log, warm) if spec.forked and warm is not None else None
            self._process = forked or _started(spec, log)
            self.spec = spec
            self.pid = self._process.pid
            self.started = time.monotonic()
        finally:
            os.close(log)

    def exited(self) -> bool:
        """Return whether the process has ended. It stays a zombie until `clear()`, so its id is not reused."""
        if self._process.returncode is not None:
            return True
        if not hasattr(os, "waitid"):
            return self._process.poll() is not None
        try:
            ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return ended is not None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def lower_priority(self) -> bool:
        """Set the niceness of the process and its group; `False`: try again in a moment.

        Linux shares processors out between sessions first and heeds nice values only within one (autogroup,
        sched(7)), and every child has a session of its own; so its session is told as well.
        """
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.setpriority(os.PRIO_PGRP, self.pid, self.spec.niceness)
        try:
            Path(f"/proc/{self.pid}/autogroup").write_text(str(self.spec.niceness))
        except BlockingIOError:
            # Without privileges the kernel takes one such wish in a tenth of a second.
            return False
        except OSError:
            # There is no such thing here: another kernel, or the process has ended.
            return True
        return True

    def clear(self) -> None:
        """Kill the process and everything left of what it had started, and reap it.

        Also after its own end: what it had started (the pool of a worker) must not go on beside its
        successor.
        """
        if not self._cleared:
            self._cleared = True
            # Those of another group (a server's backends) are known only while their parent is there.
            descendants = [] if self.exited() else self._descendants()
            # While the process is a zombie its group keeps the id, so this cannot hit a stranger.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)
            for process in descendants:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_REAP_SECONDS)

    def _descendants(self) -> list[psutil.Process]:
        try:
            return list(psutil.Process(self.pid).children(recursive=True))
        except psutil.NoSuchProcess:
            return []

    @property
    def end(self) -> str:
        """How it ended, in words; known after `clear()`."""
        code = self._process.returncode
        if code is None:
            return "did not end"
        if code >= 0:
            return f"ended with exit status {code}"
        return f"was ended by {signal.Signals(-code).name}"

    @property
    def last_lines(self) -> str:
        """The last lines that this process, not one before it, wrote."""
        return last_lines(self.spec.log_file, since=self._log_begin)


@contextlib.contextmanager
def interruptions_held() -> Iterator[None]:
    """Block Ctrl-C and similar signals; those that arrive are delivered at the end."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _forked(spec: ProcessSpec, log: int, warm: WarmParent) -> ForkedProcess | None:
    _, _, *arguments = spec.command
    return warm.fork(arguments, spec.environment, name=spec.name, log=log, death_signal=spec.stop_signal)


def _started(spec: ProcessSpec, log: int) -> subprocess.Popen[bytes]:
    account = spec.account
    return subprocess.Popen(  # noqa: S603 - the fleet's own commands
        list(spec.command),
        env=dict(spec.environment),
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        # Another account may not be able to enter our working folder.
        cwd=None if account is None else "/",
        user=None if account is None else account.uid,
        group=None if account is None else account.gid,
        extra_groups=None if account is None else [],
        # It runs after the change of user, which would clear the death signal.
        preexec_fn=_prepare_child(spec.stop_signal),  # noqa: PLW1509 - see _prepare_child
    )


def _prepare_child(death_signal: signal.Signals) -> Callable[[], None]:
    """Return what the child does between fork and exec.

    Everything it needs is loaded here, before the fork: after it, only calls of the kernel are safe.
    """
    prctl = _prctl() if sys.platform == "linux" else None
    parent = os.getpid()

    def prepare() -> None:
        for number in _STOPPING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
            # The supervisor may have died before the call: then nobody would ever send the signal.
            if os.getppid() != parent:
                os._exit(1)

    return prepare


@functools.cache
def _prctl() -> Callable[..., int]:
    # PyDLL keeps the interpreter's lock, which must not change hands between fork and exec.
    prctl: Callable[..., int] = ctypes.PyDLL(None).prctl
    return prctl
