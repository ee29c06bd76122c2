"""The two kinds of route that somebody who is logged in has: a page that is read, and a form that changes something."""

import asyncio
import hmac
from collections.abc import Callable
from typing import Final
from urllib.parse import urlencode, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from api.server.limits.body_limit import read_body
from console.server.cookie import cookie_of
from console.server.form import EMPTY, LARGEST_FORM, Form
from console.server.navigation import PREFIX
from console.server.services import ConsoleServices, services_of
from console.server.visit import SEE_OTHER, Visit, address_of_request
from runtime.principal import act_for
from schemas.access.scopes import Scope
from tasks.access.sessions import ConsoleSession, find_session

Handler = Callable[[Visit], Response]
_FORM: Final = "application/x-www-form-urlencoded"


def page(path: str, handler: Handler, *, scope: Scope = Scope.READ) -> Route:
    """A page for whoever has this scope; who is not logged in is asked to, and comes back."""

    async def show(request: Request) -> Response:
        services = services_of(request)
        session = await asyncio.to_thread(find_session, services.parts.database, cookie_of(request))
        if session is None:
            return _to_login(request)
        require_scope(session, scope)
        return await asyncio.to_thread(_handle, handler, services, request, session, EMPTY)

    return Route(path, show, methods=["GET"], name=handler.__name__)


def change(path: str, handler: Handler, *, scope: Scope = Scope.READ, largest: int = LARGEST_FORM) -> Route:
    """A form that changes something: it must come from a page of ours, of this very session."""

    async def take(request: Request) -> Response:
        services = services_of(request)
        require_our_origin(request)
        session = await asyncio.to_thread(find_session, services.parts.database, cookie_of(request))
        if session is None:
            return _to_login(request)
        form = await read_form(request, largest)
        if not hmac.compare_digest(form["token"].encode(), session.form_token.encode()):
            raise HTTPException(403, "token")
        require_scope(session, scope)
        return await asyncio.to_thread(_handle, handler, services, request, session, form)

    return Route(path, take, methods=["POST"], name=handler.__name__)


def require_scope(session: ConsoleSession, scope: str) -> None:
    """Return where somebody may do this.

    Raises:
        HTTPException: they may not (403).
    """
    if scope not in session.scopes:
        raise HTTPException(403, "scope")


def require_our_origin(request: Request) -> None:
    """Return where a form comes from a page of ours: every browser says where from, with every POST.

    Raises:
        HTTPException: it comes from elsewhere, or nobody says where from (403).
    """
    origin = urlsplit(request.headers.get("origin", ""))
    if not origin.netloc or origin.netloc != request.headers.get("host"):
        raise HTTPException(403, "origin")


async def read_form(request: Request, largest: int = LARGEST_FORM) -> Form:
    """The form that was sent, of at most so many bytes.

    Raises:
        HTTPException: it is none (400, 415), or too large (413).
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise HTTPException(415, "form")
    body = await read_body(request, largest)
    try:
        return Form.parse(body)
    except ValueError as error:
        raise HTTPException(400, "form") from error


def _handle(
    handler: Handler, services: ConsoleServices, request: Request, session: ConsoleSession, form: Form
) -> Response:
    # Every audit line that this leads to names the session.
    act_for(session.session_id)
    return handler(
        Visit(request=request, parts=services.parts, forms=services.forms, session=session, form=form)
    )


def _to_login(request: Request) -> Response:
    """To the login; by a script, which cannot follow there, only that it is needed."""
    if request.headers.get("x-requested-with"):
        raise HTTPException(401, "login")
    back = address_of_request(request) if request.method == "GET" else f"{PREFIX}/"
    return RedirectResponse(f"{PREFIX}/login?{urlencode({'next': back})}", SEE_OTHER)
