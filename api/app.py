"""The API as one value: routes, what stands before them, what happens when it starts and stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from api.access import keys
from api.flows import agents, task_batches, task_control, tasks
from api.flows.task_batches import BATCH_PATH, LARGEST_BATCH_BODY
from api.orders import callbacks as webhooks
from api.orders import (
    capacity,
    contact_stops,
    do_not_call,
    dossier,
    explanation,
    overview,
    privacy,
    signals,
    states,
    transitions,
    undo,
)
from api.orders.agents import action as actions
from api.orders.agents import audit, contact, dispatches, orchestrator, reports, tools, triage
from api.outbound import deliveries, event_socket, events, notices, subscribers
from api.people import alerts, rejects, reviews
from api.server import errors, health, measurement
from api.server.deployment import Door
from api.server.description import TAGS, DescribedApi
from api.server.head import Head
from api.server.limits.body_limit import BodyLimit
from api.server.measurement import Measured, Measurement
from api.server.request_id import RequestId
from api.server.services import Services
from schemas.core.error import Code

PREFIX: Final = "/v1"

KEYED: Final[tuple[APIRouter, ...]] = (
    orchestrator.router,
    dispatches.router,
    contact.router,
    triage.router,
    actions.router,
    reports.router,
    transitions.router,
    states.router,
    tools.router,
    reviews.router,
    alerts.router,
    agents.router,
    signals.router,
    events.router,
    audit.router,
    tasks.router,
    task_batches.router,
    task_control.router,
    subscribers.router,
    deliveries.router,
    notices.router,
    rejects.router,
    privacy.router,
    contact_stops.router,
    do_not_call.router,
    capacity.router,
    undo.router,
    explanation.router,
    dossier.router,
    overview.router,
    keys.router,
)
"""Rooms one enters with a key; each route names the scope it needs."""

OPEN: Final[tuple[APIRouter, ...]] = (webhooks.router, health.router, measurement.router)
"""Rooms without a key: callbacks prove themselves by their signature, health and figures are for anyone."""

_ANY_ROUTE: Final = (Code.BAD_REQUEST, Code.VALIDATION_FAILED, Code.INTERNAL_ERROR, Code.SERVICE_UNAVAILABLE)
_DESCRIPTION: Final = (
    "Drives suspended field-service orders (挂起任务) to an end. Every error has the same form; every "
    "answer carries `X-Request-ID`, the caller's own when it is 1 to 64 characters of `A-Za-z0-9._-`."
)


def create_app(door: Door) -> FastAPI:
    """The API over these parts. Nothing is connected before it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = Services.over(door)
        app.state.services = services
        await services.warm()
        yield
        await services.close()

    measured = Measurement()
    app = DescribedApi(
        title="unpend",
        version=door.version,
        description=_DESCRIPTION,
        openapi_tags=[{"name": name, "description": said} for name, said in TAGS.items()],
        openapi_url=f"{PREFIX}/openapi.json",
        # The usual pages load their scripts from a public server; ours must work without one.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation,
        middleware=[
            Middleware(RequestId),
            Middleware(Measured, measurement=measured),
            Middleware(Head),
            Middleware(
                BodyLimit,
                of_paths={
                    f"{PREFIX}{BATCH_PATH}": LARGEST_BATCH_BODY,
                    f"{PREFIX}{rejects.router.prefix}": rejects.LARGEST_KEPT_BODY,
                },
            ),
        ],
        lifespan=lifespan,
    )
    app.state.measurement = measured
    errors.install(app)
    keyed = errors.documented(*_ANY_ROUTE, Code.UNAUTHORIZED, Code.FORBIDDEN, Code.RATE_LIMITED)
    for router in KEYED:
        app.include_router(router, prefix=PREFIX, responses=keyed)
    for router in OPEN:
        app.include_router(router, prefix=PREFIX, responses=errors.documented(*_ANY_ROUTE))
    for prefix in ("", PREFIX):
        app.include_router(event_socket.router, prefix=prefix)
    return app


def _operation(route: APIRoute) -> str:
    return route.name
