"""The console as an application: its routes, middleware, start and stop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from api.server.middleware.request_id import RequestId
from console.access import login, myself, reference, staff
from console.flows import executions, workflow_import, workflows
from console.orders import audit, numbers, order, orders, overview, policies, reports, scripts, stops
from console.outbound import deliveries, subscribers
from console.people import alerts, intake, reviews
from console.server import errors, frame
from console.server.headers import SecurityHeaders
from console.server.navigation import ASSETS, PREFIX
from console.server.parts import ConsoleParts
from console.server.services import ConsoleServices
from console.upkeep import check

FOLDER: Final = Path(__file__).parent / "assets"
"""Styles and scripts."""
ROUTES: Final[tuple[BaseRoute, ...]] = (
    *frame.ROUTES,
    *login.ROUTES,
    *reference.ROUTES,
    *myself.ROUTES,
    *reviews.ROUTES,
    *reports.ROUTES,
    *audit.ROUTES,
    *alerts.ROUTES,
    *numbers.ROUTES,
    *stops.ROUTES,
    *intake.ROUTES,
    *deliveries.ROUTES,
    *subscribers.ROUTES,
    *workflow_import.ROUTES,
    *workflows.ROUTES,
    *executions.ROUTES,
    *orders.ROUTES,
    *order.ROUTES,
    *overview.ROUTES,
    *policies.ROUTES,
    *scripts.ROUTES,
    *staff.ROUTES,
    *check.ROUTES,
)
"""Every page and every form, below `PREFIX`."""


def create_console(parts: ConsoleParts) -> Starlette:
    """The console over these parts. Nothing is connected before it starts."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        services = app.state.services = ConsoleServices.over(parts)
        # Now rather than in the first request.
        await asyncio.to_thread(lambda: parts.engine)
        yield
        await services.close()

    app = Starlette(
        routes=[
            Route("/", lambda _: RedirectResponse(f"{PREFIX}/"), methods=["GET"]),
            Mount(ASSETS, StaticFiles(directory=FOLDER)),
            Mount(PREFIX, routes=list(ROUTES)),
        ],
        middleware=[Middleware(RequestId), Middleware(SecurityHeaders)],
        lifespan=lifespan,
    )
    errors.install(app)
    return app
