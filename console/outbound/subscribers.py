"""The pages of webhooks: who gets messages, a new secret, a test delivery."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final

from starlette.responses import Response
from starlette.routing import BaseRoute

from api.server.refusal import unknown
from console.server.fields import identified
from console.server.form import EMPTY, FieldFault, Form
from console.server.route import change, page
from console.server.visit import Visit, see
from runtime.cipher import UnreadableCiphertext
from schemas.access.scopes import Scope
from schemas.outbound.event_types import MessageType
from storage.outbound.subscribers import Subscriber
from tasks.outbound import subscriptions
from tools.network.address import AddressRefused
from tools.webhooks.sender import DeliveryTry

EVENTS: Final = tuple(MessageType)
_CONFLICT: Final = 409


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribersPage:
    """Who gets messages, and the form of another."""

    template: ClassVar[str] = "outbound/subscribers.html"
    page: ClassVar[str] = "webhooks"
    events: ClassVar[Sequence[MessageType]] = EVENTS

    subscribers: Sequence[Subscriber]
    form: Form = EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberPage:
    """One subscriber, with its new secret or the answer to a test where that was just asked for."""

    template: ClassVar[str] = "outbound/subscriber.html"
    page: ClassVar[str] = "webhooks"
    events: ClassVar[Sequence[MessageType]] = EVENTS

    subscriber: Subscriber
    form: Form = EMPTY
    secret: str | None = field(default=None, repr=False)
    answer: DeliveryTry | None = None
    refusal: str | None = None


def show_subscribers(visit: Visit) -> Response:
    """Everybody who gets messages."""
    return visit.page(_page(visit))


def add(visit: Visit) -> Response:
    """Add a subscriber; its secret is on the page that answers, and on no other."""
    form, events = visit.form, _events(visit)
    found = form.with_faults(
        url=None if form["url"] else "fields.fault.empty", events=None if events else "webhooks.fault.events"
    )
    if found.faults:
        return visit.faulty(replace(_page(visit), form=found))
    try:
        added = subscriptions.add_subscriber(
            visit.parts.database, visit.parts.settings.webhook_networks, form["url"], events, by=visit.login
        )
    except AddressRefused as error:
        refused = form.with_faults(url=FieldFault("webhooks.fault.address", {"why": str(error)}))
        return visit.faulty(replace(_page(visit), form=refused))
    return visit.page(SubscriberPage(subscriber=added.subscriber, secret=added.secret))


def show_subscriber(visit: Visit) -> Response:
    """One subscriber."""
    return visit.page(_one(visit))


def change_subscriber(visit: Visit) -> Response:
    """Choose its messages, give it a new secret, try it, or remove it."""
    present = _one(visit)
    try:
        match visit.form["do"]:
            case "events":
                return _choose(visit, present)
            case "secret":
                return _rotate(visit, present)
            case "ping":
                return _ping(visit, present)
            case "remove":
                return _remove(visit, present)
    except UnreadableCiphertext:
        return visit.page(replace(present, refusal="webhooks.refusal.unreadable"), _CONFLICT)
    return visit.page(present)


def _choose(visit: Visit, present: SubscriberPage) -> Response:
    subscriber_id, events = present.subscriber.subscriber_id, _events(visit)
    if not events:
        form = visit.form.with_faults(events="webhooks.fault.events")
        return visit.faulty(replace(present, form=form))
    if subscriptions.choose_events(visit.parts.database, subscriber_id, events, by=visit.login) is None:
        raise unknown("subscriber", subscriber_id)
    return see(f"/webhooks/{subscriber_id}")


def _rotate(visit: Visit, present: SubscriberPage) -> Response:
    subscriber_id = present.subscriber.subscriber_id
    secret = subscriptions.rotate_secret(visit.parts.database, subscriber_id, by=visit.login)
    if secret is None:
        raise unknown("subscriber", subscriber_id)
    return visit.page(replace(present, secret=secret))


def _ping(visit: Visit, present: SubscriberPage) -> Response:
    subscriber_id = present.subscriber.subscriber_id
    networks = visit.parts.settings.webhook_networks
    answer = subscriptions.ping_subscriber(visit.parts.database, networks, subscriber_id)
    if answer is None:
        raise unknown("subscriber", subscriber_id)
    return visit.page(replace(present, answer=answer))


def _remove(visit: Visit, present: SubscriberPage) -> Response:
    """Its log goes with it, so the person says that they mean it."""
    if not visit.form["sure"]:
        return visit.faulty(replace(present, form=visit.form.with_faults(sure="webhooks.fault.sure")))
    subscriptions.remove_subscriber(visit.parts.database, present.subscriber.subscriber_id, by=visit.login)
    return see("/webhooks")


def _events(visit: Visit) -> Sequence[MessageType]:
    named = visit.form.all("events")
    return [kind for kind in EVENTS if kind.value in named]


def _one(visit: Visit) -> SubscriberPage:
    subscriber_id = identified(visit, "subscriber_id", "subscriber")
    found = subscriptions.find_subscriber(visit.parts.database, subscriber_id)
    if found is None:
        raise unknown("subscriber", subscriber_id)
    return SubscriberPage(subscriber=found)


def _page(visit: Visit) -> SubscribersPage:
    return SubscribersPage(subscribers=subscriptions.list_subscribers(visit.parts.database))


ROUTES: Final[tuple[BaseRoute, ...]] = (
    page("/webhooks", show_subscribers, scope=Scope.WEBHOOKS),
    change("/webhooks", add, scope=Scope.WEBHOOKS),
    page("/webhooks/{subscriber_id}", show_subscriber, scope=Scope.WEBHOOKS),
    change("/webhooks/{subscriber_id}", change_subscriber, scope=Scope.WEBHOOKS),
)
"""The routes of subscribers."""
