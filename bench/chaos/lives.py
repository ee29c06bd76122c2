"""Watches which processes live, and whether the machine itself stood still."""

import threading
import time
from dataclasses import dataclass, field
from typing import Final

import psutil

_EVERY: Final = 0.5
_STALLED: Final = 2.0
"""Seconds between two looks of a thread that wants to look twice a second: then the machine was not to be had."""


@dataclass(slots=True)
class Lives:
    """The last moment at which each process of ours was seen alive; moments are seconds since 1970."""

    stalls: list[tuple[float, float]] = field(default_factory=list)
    """When nobody got any time of a processor."""
    _seen: dict[int, float] = field(default_factory=dict)
    _enough: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        """Look until told to stop."""
        this, last = psutil.Process(), time.time()
        while not self._enough.wait(_EVERY):
            now = time.time()
            if now - last > _STALLED:
                self.stalls.append((last, now))
            last = now
            for process in this.children(recursive=True):
                self._seen[process.pid] = now

    def stop(self) -> None:
        """Look no more."""
        self._enough.set()

    def last_seen(self, pid: int) -> float | None:
        """When this process was last seen alive; `None` when it never was."""
        return self._seen.get(pid)
