"""The request's id and its trace: the caller's when usable, made otherwise, and on every log line below."""

import re
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.ids import Prefix, new_id
from runtime.trace import new_trace_id, trace_id_of

HEADER: Final = "X-Request-ID"
TRACEPARENT: Final = "traceparent"
_USABLE: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """ASGI middleware that gives every request its id, and the trace that it belongs to."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with both in `scope["state"]`, and answer with the id."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        offered = Headers(scope=scope).get(HEADER, "")
        request_id = offered if _USABLE.fullmatch(offered) else new_id(Prefix.REQUEST)
        trace_id = trace_id_of(Headers(scope=scope).get(TRACEPARENT)) or new_trace_id()
        scope.setdefault("state", {}).update(request_id=request_id, trace_id=trace_id)
        # Not undone afterwards: the server runs each request in a task of its own, and what it logs of a
        # failed one should carry the id too.
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id, trace_id=trace_id)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)


def request_id_of(scope: MutableMapping[str, Any]) -> str:
    """The id of the request with this scope."""
    found: object = scope.get("state", {}).get("request_id")
    return found if isinstance(found, str) else new_id(Prefix.REQUEST)


def trace_of(scope: MutableMapping[str, Any]) -> str:
    """The trace id of the request with this scope."""
    found: object = scope.get("state", {}).get("trace_id")
    return found if isinstance(found, str) else new_trace_id()
