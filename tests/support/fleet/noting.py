"""`python -m tests.support.fleet.noting NAME JOURNAL`: a tiny process that notes what it is, and waits."""

import json
import os
import signal
import sys
import time
from pathlib import Path


def main(name: str, journal: Path) -> None:
    """Note a line; a stubborn one does not hear of the stop, and a parent has a child that does not either."""
    if "stubborn" in name:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if "parent" in name and os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        name = "child"
    line = {
        "name": name,
        "pid": os.getpid(),
        "session": os.getsid(0),
        "environment": dict(os.environ),
        "ignored": signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
    }
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    sys.stdout.write("told on standard output\n")
    sys.stdout.flush()
    # A signal that comes just before a long sleep would be handled after it.
    while True:
        time.sleep(0.1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
