"""The cookie by which somebody is known who has logged in (CONSOLE.md §3)."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from console.server.navigation import PREFIX
from storage.access.console_sessions import SESSION_LASTS

NAME: Final = "unpend_session"


def cookie_of(request: Request) -> str:
    """The session's cookie of a request; empty where it has none."""
    return request.cookies.get(NAME, "")


def set_cookie(request: Request, response: Response, cookie: str) -> None:
    """Let the browser keep it: no script reads it, no other site's form sends it."""
    response.set_cookie(
        NAME,
        cookie,
        max_age=int(SESSION_LASTS.total_seconds()),
        path=PREFIX,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )


def forget_cookie(response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(NAME, path=PREFIX)
