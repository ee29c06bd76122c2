"""The services given to every route: the deployment, the keyring, and the coalescers."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Protocol, Self, TypeVar

from fastapi import Depends, Request

from api.server.authentication import Keyring, caller_of
from api.server.limits.failed_logins import FailedLogins
from api.server.limits.rate_limits import RateLimits
from api.server.middleware.request_id import request_id_of, trace_of
from api.server.parts import Parts
from api.server.registration import Figure
from storage.access.keys import Key


class ContextServices(Protocol):
    """What a context keeps for its routes while the API runs; made when it starts, closed when it stops."""

    def end(self) -> None:
        """End what would go on until somebody ends it, such as streams: the process stops."""

    async def close(self) -> None:
        """Finish what is under way and give back what was opened."""


Kept = TypeVar("Kept", bound=ContextServices)


@dataclass(frozen=True, slots=True)
class Services:
    """Made when the API starts, closed when it stops."""

    parts: Parts
    version: str
    keyring: Keyring
    failed_logins: FailedLogins
    rate_limits: RateLimits
    figures: Mapping[str, Figure]
    of_contexts: Mapping[type[ContextServices], ContextServices]

    @classmethod
    def over(
        cls,
        parts: Parts,
        version: str,
        *,
        figures: Mapping[str, Figure],
        locked_out: Callable[[str], None],
        of_contexts: Sequence[ContextServices],
    ) -> Self:
        """The services over these parts; nothing is connected yet.

        `locked_out` is told of each address that has used up its tries of keys.
        """
        return cls(
            parts,
            version,
            Keyring(parts.database),
            FailedLogins(locked_out=locked_out),
            RateLimits.over(parts.settings),
            figures,
            {type(services): services for services in of_contexts},
        )

    def of(self, kind: type[Kept]) -> Kept:
        """What the context that has this kind of services keeps."""
        found = self.of_contexts[kind]
        assert isinstance(found, kind), "services are kept by their type"
        return found

    async def warm(self) -> None:
        """Make the engine now rather than in the first request."""
        await asyncio.to_thread(lambda: self.parts.engine)
        await self.rate_limits.warm()

    def end(self) -> None:
        """End every stream: the process stops."""
        for services in self.of_contexts.values():
            services.end()

    async def close(self) -> None:
        """Finish what is under way and give connections back."""
        for services in self.of_contexts.values():
            await services.close()
        await self.keyring.close()
        await self.rate_limits.close()
        await asyncio.to_thread(self._close_parts)

    def _close_parts(self) -> None:
        self.parts.engine.close()
        self.parts.database.close()
        self.parts.retention_database.close()


async def services_of(request: Request) -> Services:
    """The services of the app this request came to."""
    services = request.app.state.services
    assert isinstance(services, Services)
    return services


def kept(kind: type[Kept]) -> Any:
    """The dependency of a route on what its context keeps."""

    async def find(request: Request) -> Kept:
        return (await services_of(request)).of(kind)

    return Depends(find)


async def parts_of(request: Request) -> Parts:
    """The parts of the process."""
    return (await services_of(request)).parts


async def name_of(request: Request) -> str:
    """The request's id."""
    return request_id_of(request.scope)


async def trace_of_request(request: Request) -> str:
    """The trace that the request belongs to."""
    return trace_of(request.scope)


GivenServices = Annotated[Services, Depends(services_of)]
GivenParts = Annotated[Parts, Depends(parts_of)]
Caller = Annotated[Key, Depends(caller_of)]
RequestName = Annotated[str, Depends(name_of)]
TraceName = Annotated[str, Depends(trace_of_request)]
