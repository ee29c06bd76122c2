"""What the routes of outgoing webhooks are sent and answer: subscribers, and what became of their messages."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from schemas.core.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text
from schemas.core.identifier import Identifier
from schemas.outbound.event_types import MessageType

Chosen = Annotated[
    list[MessageType],
    Field(min_length=1, max_length=len(MessageType)),
    AfterValidator(lambda events: list(dict.fromkeys(events))),
]
"""Messages, each once."""


class SubscriberView(Answered):
    """Another system that is told of what happens to tasks."""

    subscriber_id: str
    url: str
    events: list[MessageType]
    active: bool
    """False once it answered 410 Gone; nothing more is sent to it."""
    created_at: Moment


class SubscriberList(Answered):
    """Every subscriber, the oldest first."""

    subscribers: list[SubscriberView]


class SubscriberAdded(Sent):
    """Who is to be told, and of what."""

    url: Text = Field(min_length=1, max_length=2000)
    """https, or http to a loopback or private address; without a name or password."""
    events: Chosen
    """What to tell."""


class SubscriberChanged(Sent):
    """Of what a system is to be told from now on."""

    events: Chosen
    """What to tell, in place of what was chosen before."""


class SubscriberKept(Succeeded):
    """A subscriber as it stands now; its secret is what it was."""

    subscriber: SubscriberView


class SubscriberCreated(Succeeded):
    """A new subscriber with its secret, which is shown only once."""

    subscriber: SubscriberView
    secret: str
    """`whsec_` and base64; verifies the signature of every message."""


class SecretRotated(Succeeded):
    """A subscriber's new secret: shown this once."""

    subscriber_id: str
    secret: str
    """`whsec_` and base64; verifies the signature of every message from now on."""


class PingAnswered(Succeeded):
    """What came of a `ping`."""

    delivered: bool
    status: int | None
    error: str | None
    milliseconds: int


class SubscriberRemoved(Succeeded):
    """A subscriber is gone, with its log."""

    subscriber_id: str


class DeliveryView(Answered):
    """A message to a subscriber, as it stands."""

    delivery_id: str
    """Also the message's `webhook-id`, at every try the same."""
    subscriber_id: str
    event_id: int
    event_type: str
    task_id: str | None
    state: Literal["waiting", "delivered", "given_up"]
    tries: int
    due_at: Moment
    """While it waits: when it is tried next."""
    last_status: int | None
    last_error: str | None
    created_at: Moment
    """When it was made, or last asked for again."""
    ended_at: Moment | None


class DeliveryList(Answered):
    """Messages, the newest first."""

    deliveries: list[DeliveryView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class DeliveryReplayed(Succeeded):
    """A message that is sent again under its id."""

    delivery_id: str
    outcome: Literal["again", "hastened"]
    """`hastened` when it was waiting anyway: its next try comes within half a minute."""


class ReplaySinceAsked(Sent):
    """Which messages are sent again."""

    subscriber_id: Identifier
    since: GivenMoment
    """All that were made since then."""
    failed: bool = Field(default=False, strict=True)
    """Only what was given up."""


class DeliveriesReplayed(Succeeded):
    """How many messages are sent again."""

    subscriber_id: str
    replayed: int
