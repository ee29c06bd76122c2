"""Watches which processes live, and how long each waits for a processor."""

import bisect
import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psutil

_EVERY: Final = 0.5
_NANOSECONDS: Final = 1e9


@dataclass(slots=True)
class Lives:
    """When each process of ours was seen alive, and how long it had waited; moments are seconds since 1970."""

    _moments: dict[int, list[float]] = field(default_factory=dict)
    _waited: dict[int, list[float]] = field(default_factory=dict)
    _enough: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look until told to stop."""
        this = psutil.Process()
        while not self._enough.wait(_EVERY):
            now = time.time()
            for process in this.children(recursive=True):
                self.note(process.pid, now, waited=sum(_waits(process.pid)))

    def stop(self) -> None:
        """Look no more."""
        self._enough.set()

    def note(self, pid: int, at: float, *, waited: float) -> None:
        """Note that a process lives, and the seconds that its threads have been ready and without a processor."""
        self._moments.setdefault(pid, []).append(at)
        self._waited.setdefault(pid, []).append(waited)

    def last_seen(self, pid: int) -> float | None:
        """When this process was last seen alive; `None` when it never was."""
        moments = self._moments.get(pid)
        return moments[-1] if moments else None

    def waited(self, pid: int, begin: float, end: float) -> float:
        """How many seconds this process was ready and without a processor, between the looks around these moments."""
        moments, waited = self._moments.get(pid, []), self._waited.get(pid, [])
        if not moments:
            return 0.0
        first = max(bisect.bisect_right(moments, begin) - 1, 0)
        last = min(bisect.bisect_left(moments, end), len(moments) - 1)
        return waited[last] - waited[first]


def _waits(pid: int) -> Iterator[float]:
    """What each thread of a process has waited for a processor so far, where the kernel says so."""
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            _, waited, _ = (thread / "schedstat").read_text(encoding="ascii").split()
            yield int(waited) / _NANOSECONDS
