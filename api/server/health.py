"""How the API and the fleet behind it are doing, for whoever asks: no key needed."""

from collections.abc import Callable
from typing import Final

from fastapi import APIRouter

from api.server.cached import Cached
from api.server.errors import documented
from api.server.load import loads, workers
from api.server.parts import Parts
from api.server.refusal import Refusal
from api.server.services import ContextServices, GivenServices, Services
from engine.publisher import WireUnavailable
from schemas.core.agents import OUTSIDE, TICK
from schemas.core.error import Code
from schemas.core.health import (
    Alive,
    Condition,
    FleetHealth,
    Health,
    PartConditions,
    TickCondition,
    WholeHealth,
)
from storage.core.unavailable import StorageUnavailable
from storage.engine.pulses import FRESH_SECONDS, TICK_PULSE, Pulses

router = APIRouter(prefix="/health", tags=["health"])

READ_SECONDS: Final = 1.0
"""How old an answer may be: who asks in between is told what the last one was."""

_FAILURES: Final = {
    "database": "PostgreSQL does not answer",
    "broker": "the broker does not answer",
    "tick": "the tick has not swept for a while: is beat running, and the tick's worker?",
}


class HealthReadings(ContextServices):
    """What the open routes of health read, once for everybody who asks."""

    def __init__(self, services: Callable[[], Services], *, seconds: float = READ_SECONDS) -> None:
        """Take where the services are found once the API has started."""
        self.whole = Cached(lambda: _whole(services()), seconds=seconds)
        self.parts = Cached(lambda: _conditions(services().parts), seconds=seconds)

    def end(self) -> None:
        """Nothing goes on by itself."""

    async def close(self) -> None:
        """Nothing was opened."""


@router.get("", summary="How everything is doing")
async def health(services: GivenServices) -> WholeHealth:
    """Always 200; `status` says whether every part is as it should be, `fleet` how much there is to do.

    Anyone may ask, so it is read once in a second at most.
    """
    return await services.of(HealthReadings).whole.get()


def _whole(services: Services) -> WholeHealth:
    parts = services.parts
    try:
        fleet = _fleet(services)
    except StorageUnavailable:
        fleet = None
    found = PartConditions(
        database="unavailable" if fleet is None else "ok",
        broker=_broker(parts),
        tick="unknown" if fleet is None else _tick(fleet.tick_seconds),
    )
    status = "degraded" if _failing(found) else "ok"
    return WholeHealth(status=status, version=services.version, parts=found, fleet=fleet)


@router.get("/live", summary="Whether the process answers")
async def live() -> Alive:
    """Asks nothing of any other server."""
    return Alive()


@router.get(
    "/ready",
    summary="Whether requests can be served",
    responses=documented(Code.SERVICE_UNAVAILABLE),
)
async def ready(services: GivenServices) -> Health:
    """200 when PostgreSQL and the broker answer and the tick swept in the last 15 seconds, else 503."""
    found = await services.of(HealthReadings).parts.get()
    failing = _failing(found)
    if failing:
        raise Refusal(
            Code.SERVICE_UNAVAILABLE,
            f"not ready: {'; '.join(_FAILURES[part] for part in failing)}",
            details={"parts": found.model_dump(), "failing": failing},
        )
    return Health(status="ok", version=services.version, parts=found)


def _conditions(parts: Parts) -> PartConditions:
    try:
        with parts.database.transaction() as work:
            tick = _tick(Pulses(work).seconds_since(TICK_PULSE))
        return PartConditions(database="ok", broker=_broker(parts), tick=tick)
    except StorageUnavailable:
        return PartConditions(database="unavailable", broker=_broker(parts), tick="unknown")


def _fleet(services: Services) -> FleetHealth:
    with services.parts.database.transaction() as work:
        names = services.parts.engine.queues
        queues = loads(work, (*names, OUTSIDE))
        return FleetHealth.model_validate(
            {
                "tick_seconds": Pulses(work).seconds_since(TICK_PULSE),
                "open_steps": sum(
                    load.waiting + load.published + load.leased + load.parked + load.scheduled + load.offered
                    for load in queues.values()
                ),
                "queues": queues,
                "workers": workers(work, (*names, TICK)),
                **{name: round(figure(work), 3) for name, figure in services.figures.items()},
            }
        )


def _failing(parts: PartConditions) -> list[str]:
    """The parts that are not as they should be; of a tick nobody can know about nothing is said."""
    return [name for name, found in parts.model_dump().items() if found not in ("ok", "unknown")]


def _tick(seconds: float | None) -> TickCondition:
    return "ok" if seconds is not None and seconds <= FRESH_SECONDS else "late"


def _broker(parts: Parts) -> Condition:
    try:
        parts.publisher.depths(parts.engine.queues)
    except WireUnavailable:
        return "unavailable"
    return "ok"
