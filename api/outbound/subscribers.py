"""The routes of outgoing webhooks: subscribers, and the log of their deliveries."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Response

from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import GivenParts
from runtime.cipher import UnreadableCiphertext
from runtime.ids import Prefix, new_id
from schemas.access.scopes import Scope
from schemas.core.error import Code
from schemas.core.identifier import Identifier
from schemas.outbound.event_types import MessageType
from schemas.outbound.subscribers import (
    PingAnswered,
    SecretRotated,
    SubscriberAdded,
    SubscriberChanged,
    SubscriberCreated,
    SubscriberKept,
    SubscriberList,
    SubscriberRemoved,
    SubscriberView,
)
from storage.access.system_audit import SystemAudit
from storage.outbound.subscribers import Subscriber, Subscribers
from tasks.outbound.messages import body_of, ping
from tools.network.address import AddressRefused
from tools.webhooks.address import WebhookAddresses
from tools.webhooks.sender import DeliveryTry, WebhookMessage, WebhookSender
from tools.webhooks.signature import new_secret

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=Route)

SubscriberId = Annotated[Identifier, Path(description="The subscriber's id.")]

OVERLAP: Final = timedelta(hours=24)
"""For so long after a change messages carry the former secret's signature too."""


@router.get("/subscribers", summary="Who is told", dependencies=[requires(Scope.WEBHOOKS)])
def list_subscribers(parts: GivenParts) -> SubscriberList:
    """The oldest first; never with a secret."""
    with parts.database.transaction() as work:
        found = Subscribers(work).all()
    return SubscriberList(subscribers=[_subscriber(subscriber) for subscriber in found])


@router.post(
    "/subscribers",
    summary="Tell another system",
    status_code=201,
    dependencies=[requires(Scope.WEBHOOKS)],
)
def add_subscriber(
    body: SubscriberAdded, parts: GivenParts, actor: Actor, response: Response
) -> SubscriberCreated:
    """It is told of what happens from now on. The secret is in this answer and in no other."""
    try:
        WebhookAddresses(parts.settings.webhook_networks).check_url(body.url)
    except AddressRefused as error:
        raise invalid([("url", str(error))]) from error
    secret, events = new_secret(), [kind.value for kind in body.events]
    with parts.database.transaction() as work:
        subscriber_id = Subscribers(work).add(body.url, secret, events)
        SystemAudit(work).write(actor, "subscriber_added", {"subscriber_id": subscriber_id, "events": events})
        added = Subscribers(work).find(subscriber_id)
    assert added is not None
    response.headers["Cache-Control"] = "no-store"
    return SubscriberCreated(subscriber=_subscriber(added), secret=secret)


@router.patch(
    "/subscribers/{subscriber_id}",
    summary="Choose what a system is told",
    dependencies=[requires(Scope.WEBHOOKS)],
    responses=documented(Code.NOT_FOUND),
)
def change_subscriber(
    subscriber_id: SubscriberId, body: SubscriberChanged, parts: GivenParts, actor: Actor
) -> SubscriberKept:
    """It is told of what happens from now on by the new choice; its secret and its log stay."""
    events = [kind.value for kind in body.events]
    with parts.database.transaction() as work:
        if not Subscribers(work).choose(subscriber_id, events):
            raise unknown("subscriber", subscriber_id)
        SystemAudit(work).write(
            actor, "subscriber_changed", {"subscriber_id": subscriber_id, "events": events}
        )
        changed = Subscribers(work).find(subscriber_id)
    assert changed is not None
    return SubscriberKept(subscriber=_subscriber(changed))


@router.delete(
    "/subscribers/{subscriber_id}",
    summary="Tell a system no more",
    dependencies=[requires(Scope.WEBHOOKS)],
    responses=documented(Code.NOT_FOUND),
)
def remove_subscriber(subscriber_id: SubscriberId, parts: GivenParts, actor: Actor) -> SubscriberRemoved:
    """Its log goes with it; what waits for it is not sent."""
    with parts.database.transaction() as work:
        if not Subscribers(work).remove(subscriber_id):
            raise unknown("subscriber", subscriber_id)
        SystemAudit(work).write(actor, "subscriber_removed", {"subscriber_id": subscriber_id})
    return SubscriberRemoved(subscriber_id=subscriber_id)


@router.post(
    "/subscribers/{subscriber_id}/rotate",
    summary="Give a system a new secret",
    # No answer of this route is kept for a repetition: it holds the secret.
    dependencies=[requires(Scope.WEBHOOKS, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def rotate_secret(
    subscriber_id: SubscriberId, parts: GivenParts, actor: Actor, response: Response
) -> SecretRotated:
    """The secret is in this answer and in no other; for a day messages are signed with the former one too."""
    secret = new_secret()
    with _readable(), parts.database.transaction() as work:
        if not Subscribers(work).rotate(subscriber_id, secret, OVERLAP):
            raise unknown("subscriber", subscriber_id)
        SystemAudit(work).write(actor, "subscriber_secret_changed", {"subscriber_id": subscriber_id})
    response.headers["Cache-Control"] = "no-store"
    return SecretRotated(subscriber_id=subscriber_id, secret=secret)


@router.post(
    "/subscribers/{subscriber_id}/ping",
    summary="Try whether a system can be told",
    dependencies=[requires(Scope.WEBHOOKS, repeatable=True)],
    responses=documented(Code.NOT_FOUND, Code.STATE_CONFLICT),
)
def ping_subscriber(subscriber_id: SubscriberId, parts: GivenParts) -> PingAnswered:
    """A signed `ping` is sent now, from this process; answers 200 whether it was taken or not, and says so."""
    with _readable(), parts.database.snapshot() as work:
        subscriber, secrets = Subscribers(work).find(subscriber_id), Subscribers(work).secrets(subscriber_id)
        if subscriber is None or secrets is None:
            raise unknown("subscriber", subscriber_id)
        message = WebhookMessage(
            message_id=new_id(Prefix.DELIVERY),
            url=subscriber.url,
            body=body_of(ping(datetime.now(UTC))),
            secrets=secrets.open(),
        )
    answer = asyncio.run(_send(message, WebhookAddresses(parts.settings.webhook_networks)))
    return PingAnswered(
        delivered=answer.delivered,
        status=answer.status,
        error=answer.error,
        milliseconds=round(answer.seconds * 1000),
    )


async def _send(message: WebhookMessage, addresses: WebhookAddresses) -> DeliveryTry:
    async with WebhookSender(most_at_once=1, addresses=addresses) as sender:
        return await sender.send(message)


@contextmanager
def _readable() -> Iterator[None]:
    """Say where a secret was encrypted with a key that is gone.

    Raises:
        Refusal: it was (409).
    """
    try:
        yield
    except UnreadableCiphertext as error:
        raise Refusal(
            Code.STATE_CONFLICT,
            f"{error}; is UNPEND_CIPHER_KEY the fleet's?",
            details={"secret": "unreadable"},
        ) from error


def _subscriber(subscriber: Subscriber) -> SubscriberView:
    return SubscriberView(
        subscriber_id=subscriber.subscriber_id,
        url=subscriber.url,
        events=[MessageType(kind) for kind in subscriber.events],
        active=subscriber.active,
        created_at=subscriber.created_at,
    )
