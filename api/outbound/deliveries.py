"""The routes of outgoing webhooks: what became of each message to a subscriber, and sending it again."""

from typing import Annotated, Literal, cast

from fastapi import APIRouter, Path, Query

from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, unknown
from api.server.route import Route
from api.server.services import GivenParts
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.form import Text
from schemas.core.identifier import Identifier
from schemas.outbound.subscribers import (
    DeliveriesReplayed,
    DeliveryList,
    DeliveryReplayed,
    DeliveryView,
    ReplaySinceAsked,
)
from storage.outbound.deliveries import Delivery, ReplayResult
from tasks.outbound import delivery_log

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=Route)

DeliveryId = Annotated[Identifier, Path(description="The delivery's id, which is the message's webhook-id.")]
DeliveryState = Literal["waiting", "delivered", "given_up"]


@router.get("/deliveries", summary="What was sent", dependencies=[requires(Scope.WEBHOOKS)])
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
    wanted = delivery_log.DeliveryFilter(
        subscriber_id=subscriber_id, task_id=task_id, state=state, failed=failed
    )
    found = delivery_log.list_deliveries(parts.database, wanted, before=cursor, limit=limit + 1)
    page = found[:limit]
    return DeliveryList(
        deliveries=[_delivery(delivery) for delivery in page],
        next_cursor=page[-1].delivery_id if len(found) > limit else None,
    )


@router.post(
    "/deliveries/replay",
    summary="Send messages again",
    dependencies=[requires(Scope.WEBHOOKS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def replay_since(body: ReplaySinceAsked, parts: GivenParts, actor: Actor) -> DeliveriesReplayed:
    """All that ended and were made for a subscriber since a moment, or of them only what was given up."""
    result = delivery_log.replay_since(
        parts.database, body.subscriber_id, body.since, failed=body.failed, by=actor
    )
    if result.outcome is ReplayResult.UNKNOWN:
        raise unknown("subscriber", body.subscriber_id)
    if result.outcome is ReplayResult.INACTIVE:
        raise _gone({"subscriber_id": body.subscriber_id})
    return DeliveriesReplayed(subscriber_id=body.subscriber_id, replayed=result.count)


@router.post(
    "/deliveries/{delivery_id}/replay",
    summary="Send a message again",
    dependencies=[requires(Scope.WEBHOOKS)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def replay_delivery(delivery_id: DeliveryId, parts: GivenParts, actor: Actor) -> DeliveryReplayed:
    """It goes out under the same `webhook-id` and has a new day to arrive in; 409 when its receiver is gone."""
    outcome = delivery_log.replay_delivery(parts.database, delivery_id, by=actor)
    if outcome is ReplayResult.UNKNOWN:
        raise unknown("delivery", delivery_id)
    if outcome is ReplayResult.INACTIVE:
        raise _gone({"delivery_id": delivery_id})
    return DeliveryReplayed(
        delivery_id=delivery_id, outcome="again" if outcome is ReplayResult.AGAIN else "hastened"
    )


def _gone(details: dict[str, str]) -> Refusal:
    return Refusal(
        Code.STATE_CONFLICT, "its subscriber said that it is gone, and is told nothing more", details=details
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
