"""Which methods a path takes, over every route that has it: the `Allow` header (RFC 9110 §10.2.1)."""

from typing import Final

from fastapi import Request
from starlette.routing import Match

_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def allowed_methods(request: Request) -> str:
    """The methods of the request's path, as the header has them; the framework names one route's only."""
    routes = request.app.router.routes
    taken = {
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    }
    if "GET" in taken:
        taken.add("HEAD")
    return ", ".join(method for method in _METHODS if method in taken)
