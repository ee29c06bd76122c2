"""What is read at most once in a while, however many ask."""

import asyncio
import time
from collections.abc import Callable
from contextvars import Context
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cached(Generic[Value]):
    """Reads a value in a thread, one reading at a time, and answers everybody with it for a while.

    Belongs to the event loop it is used in.
    """

    def __init__(
        self, read: Callable[[], Value], *, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Take what reads the value, and for how long it is answered."""
        self._read = read
        self._seconds = seconds
        self._clock = clock
        self._reading: asyncio.Task[Value] | None = None
        self._read_at = 0.0

    async def get(self) -> Value:
        """The value, as old as that at most.

        Raises:
            Exception: whatever reading it raised; the next who asks has it read again.
        """
        reading = self._reading
        is_old = reading is not None and reading.done() and self._clock() >= self._read_at + self._seconds
        if reading is None or is_old or (reading.done() and reading.exception() is not None):
            # The first caller's context (its request id) is not that of the others.
            reading = asyncio.get_running_loop().create_task(self._renew(), context=Context())
            self._reading = reading
        # Who goes away ends the reading for nobody else.
        return await asyncio.shield(reading)

    async def _renew(self) -> Value:
        self._read_at = self._clock()
        return await asyncio.to_thread(self._read)
