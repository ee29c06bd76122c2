"""An HTTP/1.1 client for load: prepared requests over kept connections, with little CPU use.

A general client spends more on a request than the API it would measure; on a machine that both share, that would
be measured too.
"""

import asyncio
import contextlib
import re
from dataclasses import dataclass
from typing import Final, Self

BROKEN: Final = "broken"
"""The code of an exchange that got no answer."""

_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS: Final = slice(9, 12)


@dataclass(frozen=True, slots=True, repr=False)
class Target:
    """The address of the API, and the key of the requests."""

    port: int
    key: str

    def get(self, path: str) -> bytes:
        """Return the bytes of a GET request."""
        return f"GET {path} HTTP/1.1\r\n{self._common()}\r\n".encode()

    def post(self, path: str, body: bytes) -> bytes:
        """Return the bytes of a POST request with JSON."""
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        return f"POST {path} HTTP/1.1\r\n{self._common()}{kind}\r\n".encode() + body

    def _common(self) -> str:
        return f"Host: 127.0.0.1:{self.port}\r\nAuthorization: Bearer {self.key}\r\n"


class HttpConnection:
    """One connection with one request at a time; opened when it is needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: bytes) -> tuple[str, bytes]:
        """Send a request; return the answer's HTTP code and body, `BROKEN` when the connection ended before it."""
        try:
            if self._streams is None:
                self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            reader, writer = self._streams
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            announced = _LENGTH.search(head)
            body = await reader.readexactly(int(announced[1]) if announced else 0)
        except (OSError, asyncio.IncompleteReadError):
            await self.close()
            return BROKEN, b""
        return head[_STATUS].decode(), body

    async def close(self) -> None:
        """Close the connection; the next request opens it again."""
        if self._streams is not None:
            writer, self._streams = self._streams[1], None
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
