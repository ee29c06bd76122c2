"""Logging in and out, a first password, and the language and theme of the browser (CONSOLE.md §3)."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Final

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from console.server.cookie import cookie_of, forget_cookie, set_cookie
from console.server.form import EMPTY, Form
from console.server.navigation import PREFIX
from console.server.rendering import View, Viewer, draw
from console.server.route import change, read_form, require_our_origin
from console.server.services import ConsoleServices, services_of
from console.server.visit import (
    LANGUAGE_COOKIE,
    SEE_OTHER,
    THEME_COOKIE,
    UNPROCESSABLE,
    Visit,
    language_of_request,
    own_address,
    theme_of_request,
)
from console.server.words import words_of
from schemas.access.people import Password
from tasks.access.people import accept_invitation
from tasks.access.sessions import begin_session, end_session, find_session

_TOO_MANY: Final = 429
_YEAR: Final = 365 * 86_400
_PASSWORD: Final = TypeAdapter(Password)
_CHOICES: Final = {
    "language": (LANGUAGE_COOKIE, frozenset({"zh", "en"})),
    "theme": (THEME_COOKIE, frozenset({"light", "dark", "auto"})),
}


@dataclass(frozen=True, slots=True)
class LoginPage:
    """The form of logging in; the password is never shown again."""

    template: ClassVar[str] = "access/login.html"
    page: ClassVar[str] = "access.login"

    next: str
    form: Form = EMPTY


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """The form in which somebody sets a password with the code they were given."""

    template: ClassVar[str] = "access/invitation.html"
    page: ClassVar[str] = "access.invitation"

    form: Form = EMPTY


async def show_login(request: Request) -> Response:
    """The page of logging in; past it for who is logged in."""
    back = own_address(request.query_params.get("next", ""))
    database = services_of(request).parts.database
    if await asyncio.to_thread(find_session, database, cookie_of(request)) is not None:
        return RedirectResponse(back, SEE_OTHER)
    return _drawn(request, LoginPage(back))


async def log_in(request: Request) -> Response:
    """Let in who has the password; a wrong one and a login of nobody are answered alike."""
    require_our_origin(request)
    form, services = await read_form(request), services_of(request)
    shown = LoginPage(own_address(form["next"]), form)
    if not _is_admitted(services, request, form["login"]):
        faulty = form.with_faults(login="access.login.too_many")
        return _drawn(request, LoginPage(shown.next, faulty), _TOO_MANY)
    async with services.comparing:
        cookie = await asyncio.to_thread(
            begin_session, services.parts.database, form["login"], "".join(form.all("password")[-1:])
        )
    if cookie is None:
        faulty = form.with_faults(password="access.login.wrong")  # noqa: S106 - the key of words
        return _drawn(request, LoginPage(shown.next, faulty), UNPROCESSABLE)
    answer = RedirectResponse(shown.next, SEE_OTHER)
    set_cookie(request, answer, cookie)
    return answer


async def show_invitation(request: Request) -> Response:
    """The page of a first password."""
    return _drawn(request, InvitationPage())


async def set_first_password(request: Request) -> Response:
    """Set the password of who has the code."""
    require_our_origin(request)
    form, services = await read_form(request), services_of(request)
    password = "".join(form.all("password")[-1:])
    try:
        _PASSWORD.validate_python(password)
    except ValidationError:
        faulty = form.with_faults(password="access.invitation.length")  # noqa: S106 - the key of words
        return _drawn(request, InvitationPage(faulty), UNPROCESSABLE)
    if not _is_admitted(services, request, form["login"]):
        faulty = form.with_faults(login="access.login.too_many")
        return _drawn(request, InvitationPage(faulty), _TOO_MANY)
    async with services.comparing:
        user = await asyncio.to_thread(
            accept_invitation, services.parts.database, form["login"], form["code"], password
        )
    if user is None:
        faulty = form.with_faults(code="access.invitation.wrong")
        return _drawn(request, InvitationPage(faulty), UNPROCESSABLE)
    return RedirectResponse(f"{PREFIX}/login", SEE_OTHER)


def log_out(visit: Visit) -> Response:
    """End the session."""
    end_session(visit.parts.database, visit.session)
    answer = RedirectResponse(f"{PREFIX}/login", SEE_OTHER)
    forget_cookie(answer)
    return answer


async def choose(request: Request) -> Response:
    """Keep the language or the theme that somebody chose, in their browser alone."""
    require_our_origin(request)
    form = await read_form(request)
    answer = RedirectResponse(own_address(form["next"]), SEE_OTHER)
    for name, (cookie, offered) in _CHOICES.items():
        if form[name] in offered:
            answer.set_cookie(
                cookie,
                form[name],
                max_age=_YEAR,
                path=PREFIX,
                httponly=True,
                secure=request.url.scheme == "https",
                samesite="lax",
            )
    return answer


def _is_admitted(services: ConsoleServices, request: Request, login: str) -> bool:
    return services.tries.is_admitted(login, request.client.host if request.client else "")


def _drawn(request: Request, view: View, status: int = 200) -> Response:
    language = language_of_request(request)
    viewer = Viewer(language=language, theme=theme_of_request(request), path=request.url.path)
    return HTMLResponse(draw(view, words_of(language), viewer), status)


ROUTES: Final[tuple[BaseRoute, ...]] = (
    Route("/login", show_login, methods=["GET"], name="login"),
    Route("/login", log_in, methods=["POST"]),
    Route("/invitation", show_invitation, methods=["GET"]),
    Route("/invitation", set_first_password, methods=["POST"]),
    Route("/choice", choose, methods=["POST"]),
    change("/logout", log_out),
)
"""The routes of logging in."""
