"""The routes of outgoing webhooks: who is told of what happens to tasks, and what became of each message."""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query, Response

from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import Caller, GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Text
from schemas.core.identifier import Identifier
from schemas.outbound.event_types import MessageType
from schemas.outbound.subscribers import (
    DeliveryList,
    DeliveryReplayed,
    DeliveryView,
    SubscriberAdded,
    SubscriberChanged,
    SubscriberKept,
    SubscriberList,
    SubscriberRemoved,
    SubscriberTold,
    SubscriberView,
)
from storage.access.system_audit import SystemAudit
from storage.outbound.deliveries import Deliveries, Delivery, ReplayResult
from storage.outbound.subscribers import Subscriber, Subscribers
from tools.webhooks.address import AddressRefused, check_url
from tools.webhooks.signature import new_secret

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=Route)

SubscriberId = Annotated[Identifier, Path(description="The subscriber's id.")]
DeliveryId = Annotated[Identifier, Path(description="The delivery's id, which is the message's webhook-id.")]
DeliveryState = Literal["waiting", "delivered", "given_up"]


@router.get("/subscribers", summary="Who is told", dependencies=[requires(Scope.ADMIN)])
def list_subscribers(parts: GivenParts) -> SubscriberList:
    """The oldest first; never with a secret."""
    with parts.database.transaction() as work:
        found = Subscribers(work).all()
    return SubscriberList(subscribers=[_subscriber(subscriber) for subscriber in found])


@router.post(
    "/subscribers",
    summary="Tell another system",
    status_code=201,
    dependencies=[requires(Scope.ADMIN)],
)
def add_subscriber(
    body: SubscriberAdded, parts: GivenParts, caller: Caller, response: Response
) -> SubscriberTold:
    """It is told of what happens from now on. The secret is in this answer and in no other."""
    try:
        check_url(body.url)
    except AddressRefused as error:
        raise invalid([("url", str(error))]) from error
    secret, events = new_secret(), [kind.value for kind in body.events]
    with parts.database.transaction() as work:
        subscriber_id = Subscribers(work).add(body.url, secret, events)
        SystemAudit(work).write(
            caller.agent_id, "subscriber_added", {"subscriber_id": subscriber_id, "events": events}
        )
        added = Subscribers(work).find(subscriber_id)
    assert added is not None
    response.headers["Cache-Control"] = "no-store"
    return SubscriberTold(subscriber=_subscriber(added), secret=secret)


@router.patch(
    "/subscribers/{subscriber_id}",
    summary="Choose what a system is told",
    dependencies=[requires(Scope.ADMIN)],
    responses=documented(Code.NOT_FOUND),
)
def change_subscriber(
    subscriber_id: SubscriberId, body: SubscriberChanged, parts: GivenParts, caller: Caller
) -> SubscriberKept:
    """It is told of what happens from now on by the new choice; its secret and its log stay."""
    events = [kind.value for kind in body.events]
    with parts.database.transaction() as work:
        if not Subscribers(work).choose(subscriber_id, events):
            raise unknown("subscriber", subscriber_id)
        SystemAudit(work).write(
            caller.agent_id, "subscriber_changed", {"subscriber_id": subscriber_id, "events": events}
        )
        changed = Subscribers(work).find(subscriber_id)
    assert changed is not None
    return SubscriberKept(subscriber=_subscriber(changed))


@router.delete(
    "/subscribers/{subscriber_id}",
    summary="Tell a system no more",
    dependencies=[requires(Scope.ADMIN)],
    responses=documented(Code.NOT_FOUND),
)
def remove_subscriber(subscriber_id: SubscriberId, parts: GivenParts, caller: Caller) -> SubscriberRemoved:
    """Its log goes with it; what waits for it is not sent."""
    with parts.database.transaction() as work:
        if not Subscribers(work).remove(subscriber_id):
            raise unknown("subscriber", subscriber_id)
        SystemAudit(work).write(caller.agent_id, "subscriber_removed", {"subscriber_id": subscriber_id})
    return SubscriberRemoved(subscriber_id=subscriber_id)


@router.get("/deliveries", summary="What was sent", dependencies=[requires(Scope.ADMIN)])
def list_deliveries(
    parts: GivenParts,
    subscriber_id: Annotated[
        Text | None, Query(max_length=32, description="To this subscriber only.")
    ] = None,
    task_id: Annotated[Text | None, Query(max_length=64, description="About this task only.")] = None,
    state: Annotated[DeliveryState | None, Query(description="That stand so.")] = None,
    limit: Annotated[int, Query(ge=1, le=500, description="Deliveries a page may have.")] = 100,
    cursor: Annotated[
        str | None,
        Query(pattern=r"^msg_[0-9a-f]{1,28}$", description="`next_cursor` of the page before."),
    ] = None,
    *,
    failed: Annotated[bool, Query(description="Only those whose last try failed.")] = False,
) -> DeliveryList:
    """The newest first, page by page."""
    with parts.database.transaction() as work:
        found = Deliveries(work).log(
            subscriber_id=subscriber_id,
            task_id=task_id,
            state=state,
            failed=failed,
            before=cursor,
            limit=limit + 1,
        )
    page = found[:limit]
    return DeliveryList(
        deliveries=[_delivery(delivery) for delivery in page],
        next_cursor=page[-1].delivery_id if len(found) > limit else None,
    )


@router.post(
    "/deliveries/{delivery_id}/replay",
    summary="Send a message again",
    dependencies=[requires(Scope.ADMIN)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def replay_delivery(delivery_id: DeliveryId, parts: GivenParts, caller: Caller) -> DeliveryReplayed:
    """It goes out under the same `webhook-id` and has a new day to arrive in; 409 when its receiver is gone."""
    with parts.database.transaction() as work:
        outcome = Deliveries(work).replay(delivery_id)
        if outcome is ReplayResult.UNKNOWN:
            raise unknown("delivery", delivery_id)
        if outcome is ReplayResult.INACTIVE:
            raise Refusal(
                Code.STATE_CONFLICT,
                "its subscriber said that it is gone, and is told nothing more",
                details={"delivery_id": delivery_id},
            )
        SystemAudit(work).write(caller.agent_id, "deliveries_replayed", {"delivery_id": delivery_id})
    return DeliveryReplayed(
        delivery_id=delivery_id, outcome="again" if outcome is ReplayResult.AGAIN else "hastened"
    )


def _subscriber(subscriber: Subscriber) -> SubscriberView:
    return SubscriberView(
        subscriber_id=subscriber.subscriber_id,
        url=subscriber.url,
        events=[MessageType(kind) for kind in subscriber.events],
        active=subscriber.active,
        created_at=subscriber.created_at,
    )


def _delivery(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        delivery_id=delivery.delivery_id,
        subscriber_id=delivery.subscriber_id,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        task_id=delivery.task_id,
        state=cast("DeliveryState", delivery.state),
        tries=delivery.tries,
        due_at=delivery.due_at,
        last_status=delivery.last_status,
        last_error=delivery.last_error,
        created_at=delivery.created_at,
        ended_at=delivery.ended_at,
    )
