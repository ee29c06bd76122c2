"""How large a body may be: refused in the one form of errors, whether its length was announced or not."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY: Final = 1_048_576
"""Bytes any body may have."""


class BodyLimit:
    """ASGI middleware that lets no request read more than so many bytes.

    FastAPI's own `max_body_size` answers an announced length in plain text, so it is not used.
    """

    def __init__(
        self, app: ASGIApp, largest: int = LARGEST_BODY, of_paths: Mapping[str, int] = MappingProxyType({})
    ) -> None:
        """Take the limit of every path, and those of paths that have their own."""
        self._app = app
        self._largest = largest
        self._of_paths = of_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; reading too much of it raises within the route, where it is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = _announced(scope)
        largest = self._of_paths.get(scope["path"], self._largest)
        taken = 0

        async def receive_limited() -> Message:
            nonlocal taken
            if announced > largest:
                raise too_large(largest)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > largest:
                raise too_large(largest)
            return message

        await self._app(scope, receive_limited, send)


async def read_body(request: Request, largest: int) -> bytes:
    """The body of a request.

    Raises:
        HTTPException: it is larger than this (413).
    """
    if _announced(request.scope) > largest:
        raise too_large(largest)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > largest:
            raise too_large(largest)
    return bytes(body)


def too_large(largest: int) -> HTTPException:
    """The one exception that FastAPI lets pass while it reads a body; `api.server.errors` gives it its form."""
    return HTTPException(413, f"the body is larger than {largest} bytes")


def _announced(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() and len(length) < 20 else 0  # noqa: PLR2004 - any size
