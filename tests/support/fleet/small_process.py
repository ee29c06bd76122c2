"""`python -m tests.support.fleet.small_process NAME FOLDER`: a process of the small fleet."""

import fcntl
import os
import signal
import sys
import time
from pathlib import Path


def note(folder: Path, line: str) -> None:
    """Add a line to the journal."""
    with (folder / "journal").open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def main(name: str, folder: Path) -> None:
    """Note the start, wait for the signal to stop, and stop as this one does."""
    further = 0

    def stop(number: int, frame: object) -> None:
        note(folder, f"stopping {name}")
        if name == "server":
            os.kill(further, signal.SIGTERM)
            os.waitpid(further, 0)
        while name == "slow" and not (folder / "go").exists():
            time.sleep(0.01)
        note(folder, f"stopped {name}")
        sys.exit(0)

    data = (folder / "data").open("w") if name == "server" else None
    if data is not None:
        fcntl.flock(data, fcntl.LOCK_EX | fcntl.LOCK_NB)
    further = os.fork()
    if further == 0:
        # What serves a client of the server has a session of its own; the pool of a worker does not hear of the stop.
        if name == "server":
            os.setsid()
        else:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(60)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "stubborn" else stop)
    note(folder, f"started {name}")
    # A signal that comes just before a long sleep would be handled after it.
    while True:
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
