"""The files that take the output of the processes."""

import os
from pathlib import Path
from typing import Final

ROTATE_ABOVE: Final = 20 * 1024 * 1024
_TAIL_BYTES: Final = 16 * 1024


def open_log(path: Path) -> int:
    """Open the log to append to and return its descriptor; one above 20 MB first becomes `<name>.1`.

    Only a start rotates: a process keeps the descriptor it was given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > ROTATE_ABOVE:
        path.replace(path.with_name(path.name + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def last_lines(path: Path, *, since: int = 0, count: int = 12) -> str:
    """Return the last lines of the log that were written after its byte `since`."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(since, size - _TAIL_BYTES))
            lines = file.read().decode("utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join(lines[-count:])
