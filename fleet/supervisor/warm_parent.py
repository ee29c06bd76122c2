"""The warm parent as the supervisor uses it: asked to fork a process, which then is the supervisor's own child."""

import contextlib
import ctypes
import json
import math
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Container, Mapping, Sequence
from typing import Final

from fleet.supervisor import warm_process

_PR_SET_CHILD_SUBREAPER: Final = 36
_ANSWER_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.01
_RESTART_SECONDS: Final = 10.0
_LONGEST_IMPORT_SECONDS: Final = 30.0


class ForkedProcess:
    """A child of this process that somebody else forked, with what is asked of a `subprocess.Popen`."""

    def __init__(self, pid: int) -> None:
        """Take its process id."""
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, reaping the process; `None` while it runs. Minus the signal that ended it."""
        if self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self.returncode = 0
            else:
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    def wait(self, timeout: float) -> int:
        """The exit status, waiting so many seconds for the end.

        Raises:
            subprocess.TimeoutExpired: it has not ended.
        """
        latest = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > latest:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(_LOOK_SECONDS)
        return status


class WarmParent:
    """A process that has imported what others need, and forks them (docs/decisions/0009); Linux only.

    While it is not there, or does not answer, nothing is forked, and who asks starts a process of its own.
    """

    def __init__(self, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        """Name what it imports and its environment, which every process of the fleet may see; nothing is started."""
        self._modules = modules
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._is_ready = False
        self._started = -math.inf

    @property
    def pid(self) -> int | None:
        """Its process id; `None` before the start and after the end."""
        return None if self._process is None else self._process.pid

    def tend(self) -> None:
        """Start it unless it runs or has just been started.

        Raises:
            OSError: it cannot be started.
        """
        now = time.monotonic()
        if sys.platform != "linux" or self._is_running() or now < self._started + _RESTART_SECONDS:
            return
        self.stop()
        self._started = now
        # Whatever a descendant leaves without a parent becomes a child of ours.
        ctypes.PyDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", warm_process.__name__, *self._modules],
                env=dict(self._environment),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._control = ours

    def is_starting(self) -> bool:
        """Whether it will be ready in a moment: it imports, and not for too long."""
        is_late = time.monotonic() > self._started + _LONGEST_IMPORT_SECONDS
        return self._is_running() and not self._is_ready_now() and not is_late

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _is_ready_now(self) -> bool:
        if not self._is_ready and self._control is not None:
            with contextlib.suppress(OSError):
                said = self._control.recv(1, socket.MSG_DONTWAIT)
                self._is_ready = said == warm_process.READY
        return self._is_ready

    def fork(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        *,
        name: str,
        log: int,
        death_signal: signal.Signals,
    ) -> ForkedProcess | None:
        """A process that runs `python -m` with these arguments; `None` where the parent cannot fork one now."""
        if not self._is_ready_now():
            return None
        assert self._control is not None
        ours, theirs = socket.socketpair()
        with ours:
            try:
                with theirs:
                    socket.send_fds(self._control, [b"f"], [theirs.fileno(), log])
                ours.settimeout(_ANSWER_SECONDS)
                with ours.makefile("rb") as answer:
                    pid = int(answer.readline())
                spec = {
                    "arguments": list(arguments),
                    "environment": dict(environment),
                    "name": name,
                    "death_signal": int(death_signal),
                }
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    ours.sendall(json.dumps(spec).encode())
                    ours.shutdown(socket.SHUT_WR)
            except (OSError, ValueError):
                # It has ended or is frozen. A process that it may still fork finds an end where its task should be.
                self.stop()
                return None
        return ForkedProcess(pid)

    def stop(self) -> None:
        """End it; what it has forked goes on."""
        self._is_ready = False
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


def reap_orphans(ours: Container[int | None]) -> None:
    """Reap what has ended and is none of ours: who started it ended first, and left it to this process."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        # One of ours stands in the way until whoever keeps it has taken note of its end.
        if ended is None or ended.si_pid in ours:
            return
        os.waitpid(ended.si_pid, 0)
