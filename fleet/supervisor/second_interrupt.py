"""Detects a second Ctrl-C while the fleet stops."""

import signal
import threading
import time
from types import FrameType, TracebackType
from typing import Final, Self

from fleet.supervisor.stop_request import STOP_SIGNALS, restore

# One key press arrives more than once: from the terminal, and again from make, a shell or `timeout`.
_SAME_KEY_PRESS_SECONDS: Final = 0.5


class SecondInterrupt:
    """A context in which the stop signals do not interrupt; a SIGINT is remembered.

    A SIGTERM is not, for what sends one often sends several; a SIGHUP is not, for a terminal that is closed sends
    one to whoever was asked to stop already.
    """

    def __init__(self) -> None:
        """Nothing is caught yet."""
        self.happened = False
        self._began = 0.0
        self._previous: dict[signal.Signals, object] = {}

    def __enter__(self) -> Self:
        """Catch the signals; outside the main thread, where that is impossible, do nothing."""
        self._began = time.monotonic()
        if threading.current_thread() is threading.main_thread():
            for number in STOP_SIGNALS:
                self._previous[number] = signal.signal(number, self._notice)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the signals mean again what they meant before."""
        restore(self._previous)

    def _notice(self, number: int, _frame: FrameType | None) -> None:
        if number == signal.SIGINT and time.monotonic() - self._began >= _SAME_KEY_PRESS_SECONDS:
            self.happened = True
