"""A contact at the provider: the request for it, and its events."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

from fleet.simulator.faults import Faults
from schemas.orders.contact import Channel, ContactResult
from tools.channels.simulated.simulation import Reaction, duration, provider_id_of, results_on, words

_Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
_RECORDINGS: Final = "https://recordings.simulator.invalid"


class CallBody(BaseModel):
    """The body of `POST /v1/calls`, `/v1/sms` and `/v1/im`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: _Name
    to: Annotated[str, StringConstraints(min_length=3, max_length=64)]
    script_id: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    variables: Mapping[str, str] = {}
    callback_url: Annotated[str, StringConstraints(max_length=2000, pattern=r"^https?://[^/\s]+")]
    task_id: _Name
    simulation: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class SimulatedContact:
    """A contact to be made, with its outcome already drawn.

    Attributes:
        key: The attempt.
        provider_id: Our name for it.
        channel: The way it goes.
        recipient: A digest of whom it reaches; the number itself is not kept.
        callback_url: Where its events are reported.
        reaction: What the customer does.
        faults: What we do wrong.
    """

    key: str
    provider_id: str
    channel: Channel
    recipient: str
    callback_url: str
    reaction: Reaction
    faults: Faults


@dataclass(frozen=True, slots=True)
class ContactEvent:
    """An event of a contact that is reported by callback.

    Attributes:
        event_id: Names it in every callback.
        sequence: Its place among the contact's events.
        occurs_at: Unix seconds.
        calls_back_at: Unix seconds, None when it is not reported.
        body: The callback's body.
    """

    event_id: str
    sequence: int
    occurs_at: float
    calls_back_at: float | None
    body: str


def contact_of(body: CallBody, channel: Channel, reaction: Reaction, faults: Faults) -> SimulatedContact:
    """Return the contact of a request."""
    return SimulatedContact(
        key=body.key,
        provider_id=provider_id_of(body.key),
        channel=channel,
        recipient=hashlib.sha256(body.to.encode()).hexdigest(),
        callback_url=body.callback_url,
        reaction=reaction,
        faults=faults,
    )


def events_of(contact: SimulatedContact, now: float) -> tuple[ContactEvent, ...]:
    """Return the events of a contact made now; a text message arrives halfway to its answer."""
    results = results_on(contact.channel, contact.reaction.result)
    events = []
    for sequence, result in enumerate(results, start=1):
        occurs_at = now + contact.reaction.delay_seconds * sequence / len(results)
        event_id = f"{contact.provider_id}.{sequence}"
        events.append(
            ContactEvent(
                event_id=event_id,
                sequence=sequence,
                occurs_at=occurs_at,
                calls_back_at=None if contact.faults.no_callback else occurs_at + contact.faults.late_seconds,
                body=_body(contact, event_id, result, occurs_at),
            )
        )
    return tuple(events)


def _body(contact: SimulatedContact, event_id: str, result: ContactResult, occurs_at: float) -> str:
    recorded = contact.channel is Channel.PHONE and result is ContactResult.ANSWERED
    return json.dumps(
        {
            "event_id": event_id,
            "key": contact.key,
            "provider_id": contact.provider_id,
            "channel": contact.channel,
            # A delivered text is not at its end: the customer may still answer.
            "status": "in_progress" if result is ContactResult.DELIVERED else "completed",
            "result": result,
            "transcript": words(contact.reaction, result),
            "duration_seconds": duration(contact.channel, contact.key, result),
            "recording_url": f"{_RECORDINGS}/{contact.provider_id}.mp3" if recorded else None,
            "occurred_at": datetime.fromtimestamp(occurs_at, UTC).isoformat(timespec="milliseconds"),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
