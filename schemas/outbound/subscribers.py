"""What the routes of outgoing webhooks are sent and answer: subscribers, and what became of their messages."""

from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field

from schemas.core.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text
from schemas.orders.intake import Identifier
from schemas.outbound.event_types import MessageType

_SUBSCRIBER: Final[dict[str, Any]] = {
    "subscriber_id": "sub_199f2c4a1b3c5d7e9f1a2b3c4",
    "url": "https://orders.example.com/hooks/unpend",
    "events": ["task.closed", "task.waiting"],
    "active": True,
    "created_at": "2026-03-13T21:05:00.000Z",
}
_DELIVERY: Final[dict[str, Any]] = {
    "delivery_id": "msg_199f2c4a1b3c5d7e9f1a2b3c4",
    "subscriber_id": "sub_199f2c4a1b3c5d7e9f1a2b3c4",
    "event_id": 4711,
    "event_type": "task.closed",
    "task_id": "HT20260313001",
    "state": "waiting",
    "tries": 2,
    "due_at": "2026-03-13T21:06:10.000Z",
    "last_status": 503,
    "last_error": "answered 503",
    "created_at": "2026-03-13T21:05:30.000Z",
    "ended_at": None,
}


Chosen = Annotated[
    list[MessageType],
    Field(min_length=1, max_length=len(MessageType)),
    AfterValidator(lambda events: list(dict.fromkeys(events))),
]
"""Messages, each once."""


class SubscriberView(Answered):
    """Another system that is told of what happens to tasks."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_SUBSCRIBER]})

    subscriber_id: str
    url: str
    events: list[MessageType]
    active: bool
    """False once it answered 410 Gone; nothing more is sent to it."""
    created_at: Moment


class SubscriberList(Answered):
    """Every subscriber, the oldest first."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"subscribers": [_SUBSCRIBER]}]})

    subscribers: list[SubscriberView]


class SubscriberAdded(Sent):
    """Who is to be told, and of what."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "url": "https://orders.example.com/hooks/unpend",
                    "events": ["task.closed", "task.waiting"],
                }
            ]
        },
    )

    url: Text = Field(min_length=1, max_length=2000)
    """https, or http to a loopback or private address; without a name or password."""
    events: Chosen
    """What to tell."""


class SubscriberChanged(Sent):
    """Of what a system is to be told from now on."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"events": ["task.closed"]}]}
    )

    events: Chosen
    """What to tell, in place of what was chosen before."""


class SubscriberKept(Succeeded):
    """A subscriber as it stands now; its secret is what it was."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"success": True, "subscriber": _SUBSCRIBER}]}
    )

    subscriber: SubscriberView


class SubscriberTold(Succeeded):
    """A new subscriber, with its secret: shown this once."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "subscriber": _SUBSCRIBER,
                    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                }
            ]
        },
    )

    subscriber: SubscriberView
    secret: str
    """`whsec_` and base64; verifies the signature of every message."""


class SecretRotated(Succeeded):
    """A subscriber's new secret: shown this once."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "subscriber_id": _SUBSCRIBER["subscriber_id"],
                    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                }
            ]
        },
    )

    subscriber_id: str
    secret: str
    """`whsec_` and base64; verifies the signature of every message from now on."""


class PingAnswered(Succeeded):
    """What came of a `ping`."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {"success": True, "delivered": True, "status": 200, "error": None, "milliseconds": 42}
            ]
        },
    )

    delivered: bool
    status: int | None
    error: str | None
    milliseconds: int


class SubscriberRemoved(Succeeded):
    """A subscriber is gone, with its log."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"success": True, "subscriber_id": _SUBSCRIBER["subscriber_id"]}]},
    )

    subscriber_id: str


class DeliveryView(Answered):
    """A message to a subscriber, as it stands."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_DELIVERY]})

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

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"deliveries": [_DELIVERY], "next_cursor": None}]}
    )

    deliveries: list[DeliveryView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class DeliveryReplayed(Succeeded):
    """A message that is sent again under its id."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [{"success": True, "delivery_id": _DELIVERY["delivery_id"], "outcome": "again"}]
        },
    )

    delivery_id: str
    outcome: Literal["again", "hastened"]
    """`hastened` when it was waiting anyway: its next try comes within half a minute."""


class ReplaySinceAsked(Sent):
    """Which messages are sent again."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "subscriber_id": _SUBSCRIBER["subscriber_id"],
                    "since": "2026-03-13T00:00:00+08:00",
                    "failed": True,
                }
            ]
        },
    )

    subscriber_id: Identifier
    since: GivenMoment
    """All that were made since then."""
    failed: bool = False
    """Only what was given up."""


class DeliveriesReplayed(Succeeded):
    """How many messages are sent again."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [{"success": True, "subscriber_id": _SUBSCRIBER["subscriber_id"], "replayed": 12}]
        },
    )

    subscriber_id: str
    replayed: int
