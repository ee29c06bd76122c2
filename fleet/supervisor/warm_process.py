"""The program of the warm parent: it has imported what the fleet's processes need, and forks each when it is asked to.

It holds no secret, no thread and no connection. A request is a byte on its standard input, a Unix socket, with two
descriptors: a socket of the one process that is to be, and its log. The parent reads nothing from that socket: what the
process is given, its environment above all, only the process itself reads, after the fork. The process becomes a
child of the supervisor, which is the reaper of orphans (PR_SET_CHILD_SUBREAPER): it is signalled, reaped and told of
the supervisor's end as if the supervisor had started it. The end of its standard input ends the parent.

It says `+` there when all is imported. `docs/decisions/0009`.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

READY: Final = b"+"
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_ARGUMENTS_OF_STAT: Final = slice(45, 47)
"""Where a process's arguments begin and end in its memory (proc(5), `arg_start` and `arg_end`)."""
_ADOPTION_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.001


def main(modules: Sequence[str]) -> None:
    """Import these modules, then fork for as long as the supervisor is there; in a forked process, run its module."""
    supervisor = os.getppid()
    # PyDLL keeps the interpreter's lock.
    prctl = ctypes.PyDLL(None).prctl
    for module in modules:
        importlib.import_module(module)
    # Pages that no collection touches stay shared.
    gc.collect()
    gc.freeze()
    given = _fork_while_asked(supervisor)
    if given is not None:
        _run(given, supervisor, prctl)


def _fork_while_asked(supervisor: int) -> socket.socket | None:
    """Fork at each request; in the process that was forked: the socket with what it is given. `None` at the end."""
    with socket.socket(fileno=os.dup(0)) as control:
        control.sendall(READY)
        while True:
            asked, descriptors, _, _ = socket.recv_fds(control, 1, 2)
            if not asked:
                return None
            own, log = descriptors
            between = os.fork()
            if between == 0:
                if os.fork() != 0:
                    os._exit(0)
                break
            os.close(own)
            os.close(log)
            os.waitpid(between, 0)
    os.setsid()
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return socket.socket(fileno=own) if _is_adopted(supervisor) else None


def _is_adopted(supervisor: int) -> bool:
    """Whether this process has become a child of the supervisor: as soon as the one between them has ended."""
    latest = time.monotonic() + _ADOPTION_SECONDS
    while os.getppid() != supervisor:
        if time.monotonic() > latest:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _run(given: socket.socket, supervisor: int, prctl: Any) -> None:
    """Tell the supervisor which process this is, read what it is given, and be that program."""
    with given:
        given.sendall(b"%d\n" % os.getpid())
        with given.makefile("rb") as written:
            spec = json.loads(written.read() or b"null")
    if spec is None:
        return
    prctl(_PR_SET_PDEATHSIG, int(spec["death_signal"]), 0, 0, 0)
    # The supervisor may have ended before the call: then nobody would ever send the signal.
    if os.getppid() != supervisor:
        return
    # As in a new process, whatever the one that started the fleet ignores (nohup, a shell's background).
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    prctl(_PR_SET_NAME, spec["name"].encode(), 0, 0, 0)
    os.environ.clear()
    os.environ.update(spec["environment"])
    module, *arguments = spec["arguments"]
    _show_as([sys.executable, "-m", module, *arguments])
    sys.argv[:] = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _show_as(command: Sequence[str]) -> None:
    """Let `ps` show this command, in the place where the parent's own stands."""
    fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    begin, end = (int(field) for field in fields[_ARGUMENTS_OF_STAT])
    shown = "\0".join(command).encode()[: max(end - begin - 1, 0)]
    if begin:
        ctypes.memmove(begin, shown.ljust(end - begin, b"\0"), end - begin)


if __name__ == "__main__":
    main(sys.argv[1:])
