"""The routes of emergency stops: nobody is contacted any more, at once and everywhere, until one is lifted."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.server.actor import actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.orders.contact import Channel
from schemas.orders.contact_stops import StopLifted, StopList, StopRaised, StopStands, StopTaken, StopView
from storage.orders.contacts.stops import Stop
from tasks.orders.people.barring import lift_stop, reach_of, stop_contacts
from tasks.orders.people.barring import list_stops as find_stops

router = APIRouter(prefix="/contact/stops", tags=["contact"], route_class=Route)

StopId = Annotated[Identifier, Path(description="The stop's id.")]


@router.get("", summary="What is stopped", dependencies=[requires(Scope.READ)])
def list_stops(
    parts: GivenParts,
    limit: Annotated[int, Query(ge=1, le=500, description="How many at most.")] = 100,
    *,
    lifted: Annotated[bool, Query(description="Those that were lifted, too.")] = False,
) -> StopList:
    """The newest first."""
    found = find_stops(parts.database, lifted=lifted, limit=limit)
    return StopList(stops=[_view(stop) for stop in found])


@router.post("", summary="Stop contacting people", dependencies=[requires(Scope.STOPS)])
def stop_all(body: StopRaised, parts: GivenParts, caller: Caller) -> StopStands:
    """No call, text or message leaves once this has answered, whatever is queued.

    What was being sent in that moment is not called back. Orders wait, and go on when the stop is lifted. One
    with the same channel and region that is open already is answered as it is.
    """
    stop, is_new = stop_contacts(
        parts.database,
        channel=body.channel,
        region=body.region,
        reason=body.reason,
        by=actor(caller, body.by),
    )
    reach = reach_of(parts.database, stop)
    return StopStands(
        outcome="applied" if is_new else "repeated",
        stop=_view(stop),
        orders_held=reach.held,
        orders_open=reach.open,
        orders_without_region=reach.without_region,
    )


@router.post(
    "/{stop_id}/lift",
    summary="Contact people again",
    dependencies=[requires(Scope.LIFT)],
    responses=documented(Code.NOT_FOUND),
)
def lift(stop_id: StopId, body: StopLifted, parts: GivenParts, caller: Caller) -> StopTaken:
    """What it held goes on within 15 seconds, by the policy of that moment. Lifting it again answers 200."""
    stop, is_lifted = lift_stop(parts.database, stop_id, by=actor(caller, body.by))
    if stop is None:
        raise unknown("stop", stop_id)
    return StopTaken(outcome="applied" if is_lifted else "repeated", stop=_view(stop))


def _view(stop: Stop) -> StopView:
    return StopView(
        stop_id=stop.stop_id,
        channel=None if stop.channel is None else Channel(stop.channel),
        region=stop.region,
        reason=stop.reason,
        stopped_by=stop.stopped_by,
        stopped_at=stop.stopped_at,
        lifted_at=stop.lifted_at,
        lifted_by=stop.lifted_by,
    )
