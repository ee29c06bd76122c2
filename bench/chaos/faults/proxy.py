"""A TCP proxy before PostgreSQL that can drop a connection at a COMMIT, before it or before its answer."""

import asyncio
import contextlib
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Final

_COMMIT: Final = b"Q\x00\x00\x00\x0bCOMMIT\x00"
"""The message of the protocol by which a client commits."""
_READ: Final = 65_536
_TURNS: Final = 3
"""Of the event loop, from accepting a connection to its first step."""


@dataclass(slots=True)
class DatabaseProxy:
    """Forwards connections of 127.0.0.1:`port` to `server`, in a thread of its own, until it is closed."""

    port: int
    server: int
    cuts: int = 0
    """Connections that were cut at a commit."""
    _armed: deque[bool] = field(default_factory=deque)
    _open: set[asyncio.Task[None]] = field(default_factory=set)
    """Nothing else holds a connection whose client is gone: asyncio remembers its tasks weakly."""
    _loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen."""
        listening = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="proxy", daemon=True)
        self._thread.start()
        listening.wait()

    def close(self) -> None:
        """End every connection."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()

    def cut_next(self, times: int, *, committed: bool) -> None:
        """Cut the connections of the next commits: each is `committed` and its answer is lost, or it never arrives."""
        self._armed.extend([committed] * times)

    def disarm(self) -> None:
        """Cut nothing further."""
        self._armed.clear()

    def _run(self, listening: threading.Event) -> None:
        self._loop.run_until_complete(self._serve(listening))
        self._loop.close()

    async def _serve(self, listening: threading.Event) -> None:
        server = await asyncio.start_server(self._accepted, "127.0.0.1", self.port)
        listening.set()
        await self._stopped.wait()
        server.close()
        # A connection that was accepted just before begins in one of the next turns, and transports close in the one
        # after they are told to.
        while True:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            open_ones = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            if not open_ones:
                return
            for task in open_ones:
                task.cancel()
            await asyncio.gather(*open_ones, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected = asyncio.create_task(self._connected(reader, writer))
        self._open.add(connected)
        connected.add_done_callback(self._open.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, asyncio.CancelledError):
            beyond_reader, beyond_writer = await asyncio.open_connection("127.0.0.1", self.server)
            with contextlib.closing(beyond_writer):
                await self._forward((reader, writer), (beyond_reader, beyond_writer))

    async def _forward(
        self,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        answers = asyncio.create_task(_copy(server[0], client[1]))
        try:
            while data := await client[0].read(_READ):
                if data.endswith(_COMMIT) and self._armed:
                    await self._cut(data, answers, client[1], server)
                    return
                server[1].write(data)
                await server[1].drain()
        finally:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)

    async def _cut(
        self,
        data: bytes,
        answers: "asyncio.Task[None]",
        client: asyncio.StreamWriter,
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Forward the commit or not; its answer, which says that it is done, goes no further."""
        committed = self._armed.popleft()
        self.cuts += 1
        if committed:
            answers.cancel()
            await asyncio.gather(answers, return_exceptions=True)
            # Of itself it closes this only if it had begun.
            client.close()
            server[1].write(data)
            await server[1].drain()
            await server[0].read(_READ)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(_READ):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
