"""Finds and stops servers that an earlier run left behind.

Two servers on one data folder ruin it, so a leftover is stopped before a new one starts. It is recognised by
three signs together, because a process id is used again after a crash or a reboot: the id in its own pid
file, the name of its program, and its working folder, which both servers set to their data folder.
"""

import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from fleet.embedded.errors import EmbeddedServerError


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTrace:
    """How a server of ours is recognised and stopped.

    Attributes:
        folder: Name of its data folder in the servers' home.
        program: Name of its program.
        pid_file: Written by it into its data folder; the first line is its process id.
        signals: Sent in turn until it is gone, each with the seconds to wait after it.
    """

    folder: str
    program: str
    pid_file: str
    signals: tuple[tuple[signal.Signals, float], ...]


# PostgreSQL: SIGINT drops the clients and stops cleanly; SIGQUIT stops at once and leaves a recovery.
POSTGRES_TRACE: Final = ServerTrace(
    folder="postgres",
    program="postgres",
    pid_file="postmaster.pid",
    signals=((signal.SIGINT, 10.0), (signal.SIGQUIT, 5.0)),
)
VALKEY_TRACE: Final = ServerTrace(
    folder="valkey",
    program="valkey-server",
    pid_file="valkey.pid",
    signals=((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)),
)


def stop_orphan(home: Path, trace: ServerTrace) -> int | None:
    """Stop the server that still uses its folder in `home`, remove its stale pid file; return its pid if any.

    The caller must hold the lock of the data folder, or it may stop the server of a fleet that is alive.

    Raises:
        EmbeddedServerError: It is still running after the last signal.
    """
    orphan = find_orphan(home, trace)
    if orphan is not None:
        _stop(orphan, home, trace)
    # After a crash or a reboot the file may name a process that has nothing to do with it, and PostgreSQL
    # then refuses to start.
    (home / trace.folder / trace.pid_file).unlink(missing_ok=True)
    return None if orphan is None else orphan.pid


def find_orphan(home: Path, trace: ServerTrace) -> psutil.Process | None:
    """Return the running server of this home; None when its pid file is missing or stale."""
    folder = home / trace.folder
    try:
        pid = int((folder / trace.pid_file).read_text(encoding="utf-8").split("\n", 1)[0])
        process = psutil.Process(pid)
        found = process.name() == trace.program and Path(process.cwd()) == folder.resolve()
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess, psutil.AccessDenied):
        # Not readable by us means not started by us: our servers run as us, or we are root.
        return None
    return process if found else None


def _stop(orphan: psutil.Process, home: Path, trace: ServerTrace) -> None:
    for number, seconds in trace.signals:
        try:
            orphan.send_signal(number)
            orphan.wait(seconds)
        except psutil.TimeoutExpired:
            continue
        except psutil.NoSuchProcess:
            return
        return
    raise EmbeddedServerError(
        f"A {trace.program} of an earlier run (process {orphan.pid}) still uses {home / trace.folder} and "
        f"did not stop. Stop it (kill {orphan.pid}) and start again."
    )
