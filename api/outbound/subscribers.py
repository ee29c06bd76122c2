"""The routes of outgoing webhooks: subscribers, and the log of their deliveries."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Path, Response

from api.server.actor import Actor
from api.server.authentication import requires
from api.server.errors import documented
from api.server.refusal import Refusal, invalid, unknown
from api.server.route import Route
from api.server.services import GivenParts
from runtime.cipher import UnreadableCiphertext
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
from storage.outbound.subscribers import Subscriber
from tasks.outbound import subscriptions
from tools.network.address import AddressRefused

router = APIRouter(prefix="/webhooks", tags=["webhooks"], route_class=Route)

SubscriberId = Annotated[Identifier, Path(description="The subscriber's id.")]


@router.get("/subscribers", summary="Who is told", dependencies=[requires(Scope.WEBHOOKS)])
def list_subscribers(parts: GivenParts) -> SubscriberList:
    """The oldest first; never with a secret."""
    found = subscriptions.list_subscribers(parts.database)
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
        added = subscriptions.add_subscriber(
            parts.database, parts.settings.webhook_networks, body.url, body.events, by=actor
        )
    except AddressRefused as error:
        raise invalid([("url", str(error))]) from error
    response.headers["Cache-Control"] = "no-store"
    return SubscriberCreated(subscriber=_subscriber(added.subscriber), secret=added.secret)


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
    changed = subscriptions.choose_events(parts.database, subscriber_id, body.events, by=actor)
    if changed is None:
        raise unknown("subscriber", subscriber_id)
    return SubscriberKept(subscriber=_subscriber(changed))


@router.delete(
    "/subscribers/{subscriber_id}",
    summary="Tell a system no more",
    dependencies=[requires(Scope.WEBHOOKS)],
    responses=documented(Code.NOT_FOUND),
)
def remove_subscriber(subscriber_id: SubscriberId, parts: GivenParts, actor: Actor) -> SubscriberRemoved:
    """Its log goes with it; what waits for it is not sent."""
    if not subscriptions.remove_subscriber(parts.database, subscriber_id, by=actor):
        raise unknown("subscriber", subscriber_id)
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
    with _readable():
        secret = subscriptions.rotate_secret(parts.database, subscriber_id, by=actor)
    if secret is None:
        raise unknown("subscriber", subscriber_id)
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
    with _readable():
        answer = subscriptions.ping_subscriber(parts.database, parts.settings.webhook_networks, subscriber_id)
    if answer is None:
        raise unknown("subscriber", subscriber_id)
    return PingAnswered(
        delivered=answer.delivered,
        status=answer.status,
        error=answer.error,
        milliseconds=round(answer.seconds * 1000),
    )


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
