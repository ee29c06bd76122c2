"""Subscribers of webhooks as people handle them: added, changed, tried, removed, each with an audit line."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from runtime.ids import Prefix, new_id
from runtime.settings import Network
from schemas.outbound.event_types import MessageType
from storage.access.system_audit import SystemAudit
from storage.core.database import Database
from storage.outbound.subscribers import Subscriber, Subscribers
from tasks.outbound.messages import body_of, ping
from tools.webhooks.address import WebhookAddresses
from tools.webhooks.sender import DeliveryTry, WebhookMessage, WebhookSender
from tools.webhooks.signature import new_secret

OVERLAP: Final = timedelta(hours=24)
"""For so long after a change messages carry the former secret's signature too."""


@dataclass(frozen=True, slots=True)
class NewSubscriber:
    """A subscriber that was added, with its secret, which is shown once."""

    subscriber: Subscriber
    secret: str = field(repr=False)


def list_subscribers(database: Database) -> Sequence[Subscriber]:
    """Every subscriber, the oldest first."""
    with database.transaction() as work:
        return Subscribers(work).all()


def find_subscriber(database: Database, subscriber_id: str) -> Subscriber | None:
    """The subscriber with this id."""
    with database.transaction() as work:
        return Subscribers(work).find(subscriber_id)


def add_subscriber(
    database: Database, allowed: tuple[Network, ...], url: str, events: Sequence[MessageType], *, by: str
) -> NewSubscriber:
    """Send messages about what happens from now on to this address.

    Raises:
        AddressRefused: webhooks may not go there; nothing was written.
    """
    WebhookAddresses(allowed).check_url(url)
    secret, chosen = new_secret(), [kind.value for kind in events]
    with database.transaction() as work:
        subscriber_id = Subscribers(work).add(url, secret, chosen)
        SystemAudit(work).write(by, "subscriber_added", {"subscriber_id": subscriber_id, "events": chosen})
        added = Subscribers(work).find(subscriber_id)
    assert added is not None
    return NewSubscriber(added, secret)


def choose_events(
    database: Database, subscriber_id: str, events: Sequence[MessageType], *, by: str
) -> Subscriber | None:
    """Send it messages of these types from now on; the subscriber, `None`: there is none."""
    chosen = [kind.value for kind in events]
    with database.transaction() as work:
        if not Subscribers(work).choose(subscriber_id, chosen):
            return None
        SystemAudit(work).write(by, "subscriber_changed", {"subscriber_id": subscriber_id, "events": chosen})
        return Subscribers(work).find(subscriber_id)


def remove_subscriber(database: Database, subscriber_id: str, *, by: str) -> bool:
    """Remove a subscriber with its log; what waits for it is not sent. Whether there was one."""
    with database.transaction() as work:
        if not Subscribers(work).remove(subscriber_id):
            return False
        SystemAudit(work).write(by, "subscriber_removed", {"subscriber_id": subscriber_id})
    return True


def rotate_secret(database: Database, subscriber_id: str, *, by: str) -> str | None:
    """Give a subscriber a new secret, which is shown once; `None`: there is no such subscriber.

    Raises:
        UnreadableCiphertext: the former one was encrypted with another key; nothing was changed.
    """
    secret = new_secret()
    with database.transaction() as work:
        if not Subscribers(work).rotate(subscriber_id, secret, OVERLAP):
            return None
        SystemAudit(work).write(by, "subscriber_secret_changed", {"subscriber_id": subscriber_id})
    return secret


def ping_subscriber(
    database: Database, allowed: tuple[Network, ...], subscriber_id: str
) -> DeliveryTry | None:
    """Send a signed `ping` now, from this process; `None`: there is no such subscriber.

    Raises:
        UnreadableCiphertext: its secret was encrypted with another key.
    """
    with database.snapshot() as work:
        subscriber, secrets = Subscribers(work).find(subscriber_id), Subscribers(work).secrets(subscriber_id)
        if subscriber is None or secrets is None:
            return None
        message = WebhookMessage(
            message_id=new_id(Prefix.DELIVERY),
            url=subscriber.url,
            body=body_of(ping(datetime.now(UTC))),
            secrets=secrets.open(),
        )
    return asyncio.run(_send(message, WebhookAddresses(allowed)))


async def _send(message: WebhookMessage, addresses: WebhookAddresses) -> DeliveryTry:
    async with WebhookSender(most_at_once=1, addresses=addresses) as sender:
        return await sender.send(message)
