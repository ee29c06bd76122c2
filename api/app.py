"""The API as one value: routes, what stands before them, what happens when it starts and stops."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from api.flows import agents, task_batches, task_control, tasks
from api.flows.task_batches import BATCH_PATH, LARGEST_BATCH_BODY
from api.orders import callbacks as webhooks
from api.orders import (
    capacity,
    contact_stops,
    do_not_call,
    known_tasks,
    privacy,
    signals,
    states,
    transitions,
    undo,
)
from api.orders.agents import action as actions
from api.orders.agents import audit, contact, dispatches, orchestrator, reports, tools, triage
from api.outbound import event_socket, events, subscribers
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
from tasks.forms import TaskForms
from tasks.registry import task_forms

PREFIX: Final = "/v1"

_KEYED: Final[tuple[APIRouter, ...]] = (
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
    known_tasks.router,
    task_control.router,
    subscribers.router,
    rejects.router,
    privacy.router,
    contact_stops.router,
    do_not_call.router,
    capacity.router,
    undo.router,
)
"""Routes that need a key; each names the scope. Those that take tasks are made for the forms there are."""

OPEN: Final[tuple[APIRouter, ...]] = (webhooks.router, health.router, measurement.router)
"""Rooms without a key: callbacks prove themselves by their signature, health and figures are for anyone."""

_ANY_ROUTE: Final = (Code.BAD_REQUEST, Code.VALIDATION_FAILED, Code.INTERNAL_ERROR, Code.SERVICE_UNAVAILABLE)
_DESCRIPTION: Final = (
    "Drives suspended field-service orders (挂起任务) to an end. Every error has the same form; every "
    "answer carries `X-Request-ID`, the caller's own when it is 1 to 64 characters of `A-Za-z0-9._-`."
)


def keyed(forms: TaskForms) -> tuple[APIRouter, ...]:
    """Every router that needs a key, for tasks of these forms."""
    return (*_KEYED, tasks.router_of(forms), task_batches.router_of(forms))


def create_app(door: Door) -> FastAPI:
    """The API over these parts. Nothing is connected before it starts."""
    forms = task_forms(lambda: door.parts.context)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = Services.over(door, forms)
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
            Middleware(BodyLimit, of_paths={f"{PREFIX}{BATCH_PATH}": LARGEST_BATCH_BODY}),
        ],
        lifespan=lifespan,
    )
    app.state.measurement = measured
    errors.install(app)
    with_key = errors.documented(*_ANY_ROUTE, Code.UNAUTHORIZED, Code.FORBIDDEN, Code.RATE_LIMITED)
    for router in keyed(forms):
        app.include_router(router, prefix=PREFIX, responses=with_key)
    for router in OPEN:
        app.include_router(router, prefix=PREFIX, responses=errors.documented(*_ANY_ROUTE))
    for prefix in ("", PREFIX):
        app.include_router(event_socket.router, prefix=prefix)
    return app


def _operation(route: APIRoute) -> str:
    return route.name
