"""Standard output that may go away: a terminal that is closed, a pipe whose reader ends."""

import contextlib
import io
import os
import select
import sys
from typing import Final, TextIO

_GONE: Final = select.POLLERR | select.POLLHUP


class Terminal(io.TextIOBase):
    """Writes to standard output; what it can no longer take is dropped, and raises nothing."""

    def __init__(self) -> None:
        """Write to what is standard output now."""
        self._stream: TextIO = sys.stdout
        self._has_lost_its_reader = False

    @property
    def encoding(self) -> str:  # type: ignore[override] # the base class has none to write to either
        """The encoding of standard output."""
        return self._stream.encoding

    def write(self, text: str) -> int:
        """Write, or drop the text where nobody can read it."""
        try:
            self._stream.write(text)
        except OSError:
            self._drop()
        return len(text)

    def flush(self) -> None:
        """Let everything written be seen, or drop it."""
        try:
            self._stream.flush()
        except OSError:
            self._drop()

    def isatty(self) -> bool:
        """Return whether a person looks at a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of standard output."""
        return self._stream.fileno()

    def has_lost_its_reader(self) -> bool:
        """Return whether the terminal was closed, or nobody reads the pipe any more (`| head -1`)."""
        if not self._has_lost_its_reader:
            poll = select.poll()
            # Without a descriptor it is captured within this process.
            with contextlib.suppress(io.UnsupportedOperation):
                poll.register(self.fileno(), 0)
            self._has_lost_its_reader = any(event & _GONE for _, event in poll.poll(0))
        return self._has_lost_its_reader

    def _drop(self) -> None:
        if self.has_lost_its_reader():
            # What is still in the stream's buffer would raise again at the end of this process.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
