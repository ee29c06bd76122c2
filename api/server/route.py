"""The route class of every context: key, rate and media type are checked before a body is read."""

import re
from collections.abc import Callable, Collection, Coroutine, Sequence
from email.message import Message
from typing import Any, Final

from fastapi import Request, Response
from fastapi.params import Depends
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.server.authentication import ScopeCheck, caller_of
from api.server.errors import documented
from api.server.limits.idempotency import HEADER, PARAMETER, answered_once
from api.server.refusal import Refusal
from api.server.services import Services
from schemas.core.error import Code

WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""What changes something, and so must not be done again for a caller who missed the answer."""

MOST_NAMES: Final = 50_000
"""Fields that a body may have, at all depths: a full batch of tasks has fewer."""
_NAME: Final = re.compile(rb'(?<!\\)"[ \t\r\n]*+:')
"""Where a name ends; JSON within a text has a backslash there."""


class Route(APIRoute):
    """An `APIRoute` that checks the scope first, counts the request, and takes bodies in JSON only.

    A write that needs a scope honours `Idempotency-Key`, unless its check calls it repeatable.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] = ("GET",),
        dependencies: Sequence[Depends] | None = None,
        responses: dict[int | str, dict[str, Any]] | None = None,
        openapi_extra: dict[str, Any] | None = None,
        **declared: Any,
    ) -> None:
        self._checks = [d.dependency for d in dependencies or () if isinstance(d.dependency, ScopeCheck)]
        self._takes_key = not WRITES.isdisjoint(methods) and any(
            not check.repeatable for check in self._checks
        )
        if self._takes_key:
            responses = documented(Code.STATE_CONFLICT) | (responses or {})
            extra = openapi_extra or {}
            openapi_extra = extra | {"parameters": [*extra.get("parameters", ()), PARAMETER]}
        super().__init__(
            path,
            endpoint,
            methods=list(methods),
            dependencies=dependencies,
            responses=responses,
            openapi_extra=openapi_extra,
            **declared,
        )

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler with these checks before it."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            for check in self._checks:
                await check(request)
            if self.body_field is not None:
                _require_json(request)
                # No JSON in UTF-8 holds such a byte; every one in UTF-16 or UTF-32 does, and would be guessed at.
                body = await request.body()
                if b"\x00" in body:
                    raise HTTPException(400)
                _require_few_names(body)
            if self._takes_key and HEADER in request.headers:
                return await answered_once(
                    request, handle, _services(request).parts.database, await caller_of(request)
                )
            return await handle(request)

        return guarded


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


def _require_few_names(body: bytes) -> None:
    """Refuse a body that is little but names of fields: what is wrong with each would have to be found.

    Raises:
        Refusal: 413.
    """
    if body.count(b":") > MOST_NAMES and len(_NAME.findall(body)) > MOST_NAMES:
        raise Refusal(Code.PAYLOAD_TOO_LARGE, f"the body has more than {MOST_NAMES} fields")


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
