"""What engineers have room for: set and read by administrators, offered for an order."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query

from api.orders.agents.orchestrator import TaskId
from api.orders.services import GivenOrdersParts
from api.server.actor import Actor
from api.server.authentication import requires
from api.server.cursor import Cursor, cursor_of, place_of
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.orders.capacity import (
    MOST_DAYS,
    CapacityList,
    CapacitySet,
    CapacityTaken,
    CapacityView,
    GivenDay,
    Region,
    SlotsOffered,
    SlotView,
)
from storage.access.system_audit import SystemAudit
from storage.engine.clock import BusinessClock
from storage.orders.capacity import Capacity, DayCapacity
from storage.orders.orders import Orders
from tasks.orders.rules.appointment import region_of
from tools.order_system.contract import SlotsUnknown

router = APIRouter(tags=["capacity"], route_class=Route)

_MOST_OFFERED: Final = 62
_USUALLY_OFFERED: Final = 14
_LAST_DAY: Final = date(2199, 12, 31)

First = Annotated[GivenDay | None, Query(alias="from", description="From this day on; today.")]
Last = Annotated[GivenDay | None, Query(alias="to", description="To this day, included.")]


@router.get("/capacity", summary="What engineers have room for", dependencies=[requires(Scope.ADMIN)])
def list_capacity(
    parts: GivenParts,
    region: Annotated[Region | None, Query(description="Of this region only.")] = None,
    first: First = None,
    last: Last = None,
    limit: Annotated[int, Query(ge=1, le=MOST_DAYS, description="Days a page may have.")] = 100,
    cursor: Cursor = None,
) -> CapacityList:
    """Day by day, then by region. A region that was never given a capacity is not limited."""
    place = place_of(cursor)
    with parts.database.transaction() as work:
        begin = first or BusinessClock(work).now().business_now.date() - timedelta(days=1)
        found = Capacity(work).days(
            region=region,
            first=begin,
            last=last or _LAST_DAY,
            after=(place[0].date(), place[1]) if place else None,
            limit=limit + 1,
        )
    page, more = found[:limit], len(found) > limit
    return CapacityList(
        days=[_view(day) for day in page],
        next_cursor=_cursor(page[-1]) if more else None,
    )


@router.put(
    "/capacity",
    summary="Set what engineers have room for",
    dependencies=[requires(Scope.ADMIN)],
    responses=documented(Code.STATE_CONFLICT),
)
def set_capacity(body: CapacitySet, parts: GivenParts, actor: Actor) -> CapacityTaken:
    """All of these days or none: 409 where more visits are booked than there would be room for.

    With its first day a region is limited: days that were given no capacity have no room.
    """
    days = [DayCapacity(region=day.region, day=day.day, capacity=day.capacity) for day in body.days]
    with parts.database.transaction() as work:
        refused = Capacity(work).set(days)
        if not refused:
            detail = {"days": len(days), "regions": sorted({day.region for day in days})}
            SystemAudit(work).write(actor, "capacity.set", detail)
    if refused:
        raise Refusal(
            Code.STATE_CONFLICT,
            "more visits are booked than there would be room for; nothing was changed",
            details={"days": [_view(day).model_dump(mode="json") for day in refused]},
        )
    return CapacityTaken(updated=len(days))


@router.get(
    "/tasks/{task_id}/slots",
    summary="When an order could be visited",
    dependencies=[requires(Scope.READ)],
    responses=documented(Code.NOT_FOUND),
)
def offered_slots(
    task_id: TaskId, parts: GivenOrdersParts, first: First = None, last: Last = None
) -> SlotsOffered:
    """The days with room in the order's region, two weeks ahead unless other days are asked for.

    Another order system is asked where there is one; 503 when it does not say. Past days are never offered.
    """
    with parts.database.transaction() as work:
        order = Orders(work).find([task_id]).get(task_id)
        now = BusinessClock(work).now().business_now
    if order is None:
        raise unknown("task", task_id)
    today = now.astimezone(parts.context.zone(order)).date()
    begin = max(first or today, today)
    end = last or begin + timedelta(days=_USUALLY_OFFERED)
    if (end - begin).days > _MOST_OFFERED:
        raise invalid([("to", f"lies more than {_MOST_OFFERED} days after the first day")])
    region = region_of(order)
    offered = parts.context.order_system.slots(region, begin, end)
    if isinstance(offered, SlotsUnknown):
        raise Refusal(Code.SERVICE_UNAVAILABLE, f"the slots are not known just now: {offered.reason}")
    return SlotsOffered(
        task_id=task_id,
        region=region,
        limited=offered.limited,
        slots=[
            SlotView(day=slot.day, free=slot.free, capacity=slot.capacity)
            for slot in offered.slots
            if slot.free > 0
        ],
    )


def _view(day: DayCapacity) -> CapacityView:
    return CapacityView(
        region=day.region, day=day.day, capacity=day.capacity, booked=day.booked, free=day.free
    )


def _cursor(day: DayCapacity) -> str:
    return cursor_of((datetime.combine(day.day, time(0), tzinfo=UTC), day.region))
