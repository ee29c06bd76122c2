"""Joins what is written to a connection in one turn of the event loop: head and body of an answer are one packet."""

import asyncio
from typing import Any


class JoinedWrites:
    """A transport over another one.

    A server that writes the head of an answer and then its body wakes the other side twice, and each time costs more
    than what is done here.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        """Take the transport that is written to; it does everything else."""
        self._transport = transport
        self._waiting: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        """What is not about writing is the other transport's."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send this with what else is written in this turn."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._send)
        self._waiting.append(data)

    def close(self) -> None:
        """Send what is written, then close."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._transport.write(b"".join(waiting))
