"""The end of a worker that was told to stop: it comes, whatever its pool or its broker does meanwhile."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import psutil
from celery.apps.worker import REMAP_SIGTERM
from celery.signals import worker_ready, worker_shutting_down

_LAST_SECONDS: Final = 2.5
"""What a worker may take to end once its soft shutdown is over."""


def bound_the_end(soft_seconds: float) -> None:
    """Have the worker of this process end at the latest `_LAST_SECONDS` after its soft shutdown of `soft_seconds`."""

    def bound_from_the_signal(**_: Any) -> None:
        handler = signal.getsignal(signal.SIGTERM)
        if REMAP_SIGTERM == "SIGQUIT" and callable(handler) and not isinstance(handler, _BoundedStop):
            bounded = _BoundedStop(handler, soft_seconds + _LAST_SECONDS, os.getpid())
            signal.signal(signal.SIGTERM, bounded)

    worker_ready.connect(bound_from_the_signal, weak=False)
    worker_shutting_down.connect(_bound_cold_shutdown, weak=False)


@dataclass(frozen=True, slots=True)
class _BoundedStop:
    """Celery's own handler of SIGTERM, within `seconds`.

    Celery says that it shuts down only after it has joined its pool, and a child that does not end is joined for ever.
    """

    handler: Callable[[int, Any], Any]
    seconds: float
    worker: int
    """The worker's process; a child inherits the handler for the moment between its fork and its own."""

    def __call__(self, number: int, frame: Any) -> None:
        if os.getpid() == self.worker:
            _end_after(self.seconds)
        self.handler(number, frame)


def _bound_cold_shutdown(how: str, **_: Any) -> None:
    """End a worker that waits for its broker: Celery sends its last heartbeat even to one that never answers."""
    if how == "Cold":
        _end_after(_LAST_SECONDS)


def _end_after(seconds: float) -> None:
    bound = threading.Timer(seconds, _end_now)
    bound.daemon = True
    bound.start()


def _end_now() -> None:
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    os._exit(1)
