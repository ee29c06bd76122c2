"""Detects that somebody wants the fleet stopped."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill`, and the end of the terminal."""


class StopRequest:
    """A context in which the stop signals do not end this process, but are remembered."""

    def __init__(self, further: Callable[[], bool] = lambda: False) -> None:
        """Set what further counts as a request to stop; no signal is caught yet.

        Args:
            further: Asked each time; true from then on.
        """
        self._further = further
        self._happened = False
        self._previous: dict[signal.Signals, object] = {}

    def happened(self) -> bool:
        """Return whether the stop has been asked for."""
        self._happened = self._happened or self._further()
        return self._happened

    def __enter__(self) -> Self:
        """Catch the signals, but not a SIGHUP that is to be ignored (nohup)."""
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
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

    def _notice(self, _number: int, _frame: FrameType | None) -> None:
        self._happened = True


def restore(previous: dict[signal.Signals, object]) -> None:
    """Give signals the handlers that they had before."""
    for number, handler in previous.items():
        # None: it was not installed from Python and cannot be put back.
        if callable(handler) or isinstance(handler, int):
            signal.signal(number, handler)
