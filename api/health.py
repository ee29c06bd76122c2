"""How the API is doing, for whoever asks: no key needed."""

from fastapi import APIRouter

from api.door import Parts
from api.errors import documented
from api.refusal import Refusal
from api.services import GivenParts, GivenServices
from engine.publisher import QUEUES, WireUnavailable
from schemas.http.error import Code
from schemas.http.health import Alive, Condition, Health
from schemas.http.health import Parts as PartsView
from storage.unavailable import StorageUnavailable

router = APIRouter(prefix="/health", tags=["health"])


@router.get("", summary="How everything is doing")
def health(services: GivenServices) -> Health:
    """Always 200; `status` says whether every part answers."""
    parts = _look(services.door.parts)
    return Health(status="ok" if _complete(parts) else "degraded", version=services.door.version, parts=parts)


@router.get("/live", summary="Whether the process answers")
async def live() -> Alive:
    """Asks nothing of any other server."""
    return Alive()


@router.get(
    "/ready",
    summary="Whether requests can be served",
    responses=documented(Code.SERVICE_UNAVAILABLE),
)
def ready(parts: GivenParts, services: GivenServices) -> Health:
    """200 when PostgreSQL and the broker answer, else 503."""
    found = _look(parts)
    if not _complete(found):
        raise Refusal(
            Code.SERVICE_UNAVAILABLE,
            "a server this needs does not answer",
            details={"parts": found.model_dump()},
        )
    return Health(status="ok", version=services.door.version, parts=found)


def _look(parts: Parts) -> PartsView:
    return PartsView(database=_database(parts), broker=_broker(parts))


def _complete(parts: PartsView) -> bool:
    return parts.database == "ok" and parts.broker == "ok"


def _database(parts: Parts) -> Condition:
    try:
        with parts.database.transaction() as work:
            work.clock.now()
    except StorageUnavailable:
        return "unavailable"
    return "ok"


def _broker(parts: Parts) -> Condition:
    try:
        parts.publisher.depths(QUEUES)
    except WireUnavailable:
        return "unavailable"
    return "ok"
