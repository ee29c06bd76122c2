"""The route every room uses: who calls and what kind of body it is are settled before the body is read."""

from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.authentication import Guard


class Route(APIRoute):
    """An `APIRoute` that asks its guard first, and takes bodies in JSON only."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with both questions before it."""
        handle = super().get_route_handler()
        guards = [d.dependency for d in self.dependencies if isinstance(d.dependency, Guard)]

        async def guarded(request: Request) -> Response:
            for guard in guards:
                await guard(request)
            if self.body_field is not None:
                _require_json(request)
            return await handle(request)

        return guarded


def _require_json(request: Request) -> None:
    """Refuse a body of another media type; RFC 9110 §15.5.16.

    Raises:
        HTTPException: 415.
    """
    headers = request.headers
    given = headers.get("content-type")
    if given is None and "transfer-encoding" not in headers and headers.get("content-length", "0") == "0":
        return  # no body at all: which fields it lacks is the better answer
    header = Message()
    header["content-type"] = given or "application/octet-stream"
    kind, subtype = header.get_content_maintype(), header.get_content_subtype()
    if kind != "application" or not (subtype == "json" or subtype.endswith("+json")):
        raise HTTPException(415)
