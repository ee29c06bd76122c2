"""Standard output that may go away: a terminal that is closed, a pipe whose reader ends."""

import io
import os
import select
import stat
import sys
from typing import TextIO


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
        except OSError as error:
            self._give_up(error)
        return len(text)

    def flush(self) -> None:
        """Let everything written be seen, or drop it."""
        try:
            self._stream.flush()
        except OSError as error:
            self._give_up(error)

    def isatty(self) -> bool:
        """Return whether a person looks at a terminal."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of standard output."""
        return self._stream.fileno()

    def has_lost_its_reader(self) -> bool:
        """Return whether standard output is a pipe that nobody reads any more (`| head -1`)."""
        if not self._has_lost_its_reader and self._is_pipe():
            poll = select.poll()
            poll.register(self.fileno(), 0)
            self._has_lost_its_reader = any(event & select.POLLERR for _, event in poll.poll(0))
        return self._has_lost_its_reader

    def _is_pipe(self) -> bool:
        try:
            return stat.S_ISFIFO(os.fstat(self.fileno()).st_mode)
        except (OSError, ValueError):
            # Captured within this process, or closed.
            return False

    def _give_up(self, error: OSError) -> None:
        self._has_lost_its_reader = self._has_lost_its_reader or isinstance(error, BrokenPipeError)
        # What is still in the stream's buffer would raise again at the end of this process.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)
