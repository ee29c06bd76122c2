"""What every route is given: the parts behind the door, the keyring, and the coalescers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from fastapi import Depends, Request

from api.orders.agents.awaiting import Awaiting
from api.server.authentication import Keyring, caller_of
from api.server.coalescer import Coalescer
from api.server.deployment import Door, Parts
from api.server.limits.failed_logins import Strangers
from api.server.limits.rate_limits import RateLimits
from api.server.request_id import request_id_of
from api.server.streams.broadcast import Broadcast
from storage.access.keys import Key
from storage.core.unavailable import StorageUnavailable
from storage.orders.order_view import OrderProgress, OrderView
from tasks.orders.inbound.callbacks import Callback, take_callbacks
from tasks.orders.inbound.reports import ReportOutcome
from tasks.orders.intake.intake import Door as Entrance
from tasks.orders.intake.intake import Received, Submission, accept


@dataclass(frozen=True, slots=True)
class Services:
    """Made when the API starts, closed when it stops."""

    door: Door
    keyring: Keyring
    strangers: Strangers
    rate_limits: RateLimits
    intake: Coalescer[Submission, Received]
    progress: Coalescer[str, OrderProgress | None]
    callbacks: Coalescer[Callback, list[ReportOutcome]]
    broadcast: Broadcast
    awaiting: Awaiting

    @classmethod
    def over(cls, door: Door) -> Self:
        """The services over these parts; nothing is connected yet."""
        parts = door.parts

        def take(submissions: Sequence[Submission]) -> list[Received]:
            return accept(parts.engine, parts.context, submissions, Entrance.HTTP)

        def report(callbacks: Sequence[Callback]) -> list[list[ReportOutcome]]:
            return take_callbacks(parts.engine, parts.context, callbacks)

        def look(task_ids: Sequence[str]) -> list[OrderProgress | None]:
            with parts.database.looks() as work:
                found = OrderView(work).progress(task_ids)
            return [found.get(task_id) for task_id in task_ids]

        outages = (StorageUnavailable,)
        return cls(
            door,
            Keyring(parts.database),
            Strangers(),
            RateLimits.over(parts.settings),
            Coalescer(take, of_all=outages),
            Coalescer(look, of_all=outages),
            Coalescer(report, of_all=outages),
            Broadcast(parts.database),
            Awaiting(parts.database),
        )

    async def warm(self) -> None:
        """Make the engine now rather than in the first request."""
        await asyncio.to_thread(lambda: self.door.parts.engine)
        await self.rate_limits.warm()

    async def close(self) -> None:
        """Finish what is under way and give connections back."""
        await self.broadcast.close()
        await self.awaiting.close()
        await self.intake.close()
        await self.progress.close()
        await self.callbacks.close()
        await self.keyring.close()
        await self.rate_limits.close()
        await asyncio.to_thread(self._close_parts)

    def _close_parts(self) -> None:
        parts = self.door.parts
        parts.engine.close()
        parts.context.gateway.close()
        parts.context.order_system.close()
        parts.database.close()


async def services_of(request: Request) -> Services:
    """The services of the app this request came to."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


async def parts_of(request: Request) -> Parts:
    """The parts behind the door."""
    return (await services_of(request)).door.parts


async def name_of(request: Request) -> str:
    """The request's id."""
    return request_id_of(request.scope)


GivenServices = Annotated[Services, Depends(services_of)]
GivenParts = Annotated[Parts, Depends(parts_of)]
Caller = Annotated[Key, Depends(caller_of)]
RequestName = Annotated[str, Depends(name_of)]
