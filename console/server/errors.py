"""How exceptions are answered: a page that says what happened and what to do, in the person's language."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.server.errors import STATUS
from api.server.middleware.request_id import request_id_of
from api.server.refusal import Refusal
from console.server.cookie import cookie_of
from console.server.rendering import Viewer, draw
from console.server.services import services_of
from console.server.visit import address_of_request, language_of_request, theme_of_request
from console.server.words import words_of
from engine.publisher import WireUnavailable
from runtime.logs import logger
from storage.core.unavailable import StorageUnavailable
from tasks.access.sessions import find_session
from tasks.orders.explain.pulse import top_bar

_log = logger(__name__)
_OUTAGE: Final = 503
_FAULT: Final = 500
_WORDED: Final = frozenset({400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503})


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """What went wrong with a request."""

    template: ClassVar[str] = "server/error.html"
    page: ClassVar[str] = "server.error"

    status: int
    detail: str
    """What is known beside the status, for who reports it."""
    request_id: str


def install(app: Starlette) -> None:
    """Answer every exception with a page."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(StorageUnavailable, _outage)
    app.add_exception_handler(WireUnavailable, _outage)
    app.add_exception_handler(Exception, _fault)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return await _page(request, error.status_code, "", error.headers)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return await _page(request, STATUS[error.code], error.message, error.headers)


async def _outage(request: Request, error: Exception) -> Response:
    _log.warning("a server does not answer", error=str(error))
    return await _page(request, _OUTAGE, "", {"Retry-After": "1"})


async def _fault(request: Request, error: Exception) -> Response:
    _log.error("a page failed", page=request.url.path, exc_info=error)
    return await _page(request, _FAULT, "", None)


async def _page(request: Request, status: int, detail: str, headers: Mapping[str, str] | None) -> Response:
    viewer = await asyncio.to_thread(_viewer, request, is_asked=status not in {_OUTAGE, _FAULT})
    shown = ErrorPage(status if status in _WORDED else _FAULT, detail, request_id_of(request.scope))
    drawn = draw(shown, words_of(viewer.language), viewer)
    return HTMLResponse(drawn, status, headers=dict[str, Any](headers or {}))


def _viewer(request: Request, *, is_asked: bool) -> Viewer:
    """Who sees the error; without a menu where the database may be what has failed."""
    database = services_of(request).parts.database
    session = find_session(database, cookie_of(request)) if is_asked else None
    return Viewer(
        language=language_of_request(request),
        theme=theme_of_request(request),
        path=address_of_request(request),
        session=session,
        bar=top_bar(database) if session else None,
    )
