"""How long requests take: a histogram for Prometheus and one log line a request, by route template."""

import time
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime.logs import logger

_log = logger(__name__)

_EDGES: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""In seconds; 0.1 is what the seed promises, 0.5 where the alert lies (SPEC.md §9)."""

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_OTHER: Final = "other"
_UNMATCHED: Final = "unmatched"
_STREAM: Final = "text/event-stream"
_HANDSHAKE: Final = {"websocket.accept": 101, "websocket.close": 403}
"""The status of a handshake that is answered without one of its own (ASGI, WebSocket)."""


class Measurement:
    """The API's own series, of this process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.duration = Histogram(
            "api_request_duration",
            "Seconds from a request's arrival to the end of its answer (a stream's or socket's: its beginning), "
            "by route template.",
            ("method", "route", "status"),
            buckets=_EDGES,
            registry=self.registry,
        )


class Measured:
    """ASGI middleware that measures and logs every request and socket; never the path, which may hold ids."""

    def __init__(self, app: ASGIApp, measurement: Measurement) -> None:
        self._app = app
        self._measurement = measurement

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note how long it took and how it ended."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500
        # What is no method of HTTP is one label: a caller must not make series without end.
        asked = scope.get("method", "GET")
        method = asked if asked in METHODS else _OTHER
        streams_since: float | None = None

        async def note_status(message: Message) -> None:
            nonlocal status, streams_since
            kind = message["type"]
            if kind in ("http.response.start", "websocket.http.response.start"):
                status = int(message["status"])
                if Headers(raw=message["headers"]).get("content-type", "").startswith(_STREAM):
                    streams_since = time.perf_counter()
            elif kind in _HANDSHAKE and streams_since is None:
                status, streams_since = _HANDSHAKE[kind], time.perf_counter()
            await send(message)

        try:
            await self._app(scope, receive, note_status)
        finally:
            # How long somebody listened, or waited for work, says nothing of how fast the answer came.
            waited = scope.get("state", {}).get("waited_seconds", 0.0)
            seconds = (streams_since or time.perf_counter()) - began - waited
            route = getattr(scope.get("route"), "path", _UNMATCHED)
            self._measurement.duration.labels(method, route, str(status)).observe(seconds)
            _log.info(
                "request answered",
                method=method,
                route=route,
                status=status,
                milliseconds=round(seconds * 1000, 1),
            )


router = APIRouter(tags=["health"])


@router.get("/metrics", summary="The API's series for Prometheus", response_class=Response)
async def metrics(request: Request) -> Response:
    """How long requests took; what the fleet has done is counted by the exporter."""
    measurement: Measurement = request.app.state.measurement
    return Response(generate_latest(measurement.registry), media_type=CONTENT_TYPE_LATEST)
