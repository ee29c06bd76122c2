"""The API application: routes, middleware, start and stop."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware import Middleware

from api.access.logins import LoginLimits
from api.access.registration import ACCESS
from api.flows.executions.log_stream import LogReader
from api.flows.live_states import LiveReader
from api.flows.outside.desk import OutsideDesk
from api.flows.registration import flows_of
from api.orders.registration import ORDERS
from api.orders.services import OrdersParts, OrdersServices
from api.outbound.registration import OUTBOUND
from api.outbound.streams.broadcast import Broadcast
from api.people.im_callbacks import ImCallbacks
from api.people.lock_outs import LockOuts
from api.people.registration import PEOPLE
from api.server import errors, health
from api.server.description import DescribedApi
from api.server.limits.body_limit import BodyLimit
from api.server.middleware import measurement
from api.server.middleware.head import Head
from api.server.middleware.measurement import Measured, Measurement
from api.server.middleware.request_id import RequestId
from api.server.registration import Registration
from api.server.services import Services
from api.task_intake import TaskIntake
from schemas.core.error import Code
from tasks.forms import TaskForms
from tasks.registry import task_forms

PREFIX: Final = "/v1"

SERVER: Final = Registration(
    tags=MappingProxyType(
        {"health": "Whether this process lives and can work, and its figures; open to anyone."}
    ),
    open=(health.router, measurement.router),
)

_ANY_ROUTE: Final = (Code.BAD_REQUEST, Code.VALIDATION_FAILED, Code.INTERNAL_ERROR, Code.SERVICE_UNAVAILABLE)
_DESCRIPTION: Final = (
    "Drives suspended field-service orders (挂起任务) to an end. Every error has the same form; every "
    "answer carries `X-Request-ID`, the caller's own when it is 1 to 64 characters of `A-Za-z0-9._-`."
)


def contexts_of(forms: TaskForms) -> tuple[Registration, ...]:
    """Every context of the API, in the order of its description, for tasks of these forms."""
    return (ORDERS, PEOPLE, flows_of(forms), OUTBOUND, ACCESS, SERVER)


def create_app(parts: OrdersParts, version: str) -> FastAPI:
    """The API over these parts. Nothing is connected before it starts."""
    forms = task_forms(lambda: parts.context)
    contexts = contexts_of(forms)

    def make_services() -> Services:
        intake = TaskIntake.over(forms, lambda: parts.engine)
        lock_outs = LockOuts(parts.database)
        return Services.over(
            parts,
            version,
            figures={name: figure for each in contexts for name, figure in each.figures.items()},
            locked_out=lock_outs.note,
            of_contexts=(
                intake,
                lock_outs,
                Broadcast(parts.database),
                LogReader(parts.database),
                LiveReader.over(parts.settings),
                OutsideDesk(lambda: parts.engine),
                OrdersServices.over(parts, intake),
                ImCallbacks.over(parts, intake),
                LoginLimits(lock_outs.note),
                health.HealthReadings(lambda: app.state.services),
            ),
        )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = app.state.services = make_services()
        await services.warm()
        yield
        await services.close()

    measured = Measurement()
    largest_bodies = {
        f"{PREFIX}{path}": largest for each in contexts for path, largest in each.largest_bodies.items()
    }
    app = DescribedApi(
        title="unpend",
        version=version,
        description=_DESCRIPTION,
        openapi_tags=[
            {"name": name, "description": said} for each in contexts for name, said in each.tags.items()
        ],
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
            Middleware(BodyLimit, of_paths=largest_bodies),
        ],
        lifespan=lifespan,
    )
    app.state.measurement = measured
    # For who runs routes without starting the API.
    app.state.make_services = make_services
    errors.install(app, *(each.faults for each in contexts))
    _include(app, contexts)
    return app


def _include(app: FastAPI, contexts: Sequence[Registration]) -> None:
    """Add the routes of every context, those without a key first.

    A route is looked for in this order, and what comes under load are callbacks.
    """
    open_to = errors.documented(*_ANY_ROUTE)
    keyed = errors.documented(*_ANY_ROUTE, Code.UNAUTHORIZED, Code.FORBIDDEN, Code.RATE_LIMITED)
    routers = [(router, open_to) for context in contexts for router in context.open]
    routers += [(router, keyed) for context in contexts for router in context.keyed]
    for router, responses in routers:
        app.include_router(router, prefix=PREFIX, responses=responses)
    for context in contexts:
        for router in context.sockets:
            for prefix in ("", PREFIX):
                app.include_router(router, prefix=prefix)


def _operation(route: APIRoute) -> str:
    return route.name
