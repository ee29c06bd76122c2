"""Routes of the frame itself: the stream of changes, and the first page."""

import asyncio
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from console.server.cookie import cookie_of
from console.server.route import page
from console.server.services import services_of
from console.server.visit import Visit, see
from schemas.access.scopes import Scope
from tasks.access.sessions import find_session


async def listen(request: Request) -> Response:
    """What changes, as it changes, for who is logged in; 204 tells a browser to ask no more."""
    services = services_of(request)
    if await asyncio.to_thread(find_session, services.parts.database, cookie_of(request)) is None:
        return Response(status_code=204)
    if services.live.is_full:
        raise HTTPException(503, headers={"Retry-After": "5"})
    return services.live.stream()


async def health(_: Request) -> Response:
    """Whether this process answers."""
    return JSONResponse({"status": "ok"})


def first_page(visit: Visit) -> Response:
    """The worklist for who decides reviews, the overview for all others."""
    return see("/reviews" if visit.may(Scope.REVIEWS) else "/overview")


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/health", health, methods=["GET"]),
    Route("/live", listen, methods=["GET"]),
    page("/", first_page),
)
"""The routes of the frame."""
