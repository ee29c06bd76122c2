"""The interface of every channel to a customer, for any provider (SPEC.md §3, §8).

A contact reaches a person, so it must happen once. The outcome of a send therefore says which of three
things is certain: that it was accepted, that nothing was sent, or neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from runtime.mask import mask_phone
from schemas.orders.contact import Channel, ContactResult
from tools.channels.script import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRequest:
    """One contact to make.

    Attributes:
        key: Names this attempt for ever: the provider de-duplicates by it and answers queries by it.
        channel: The way to go.
        to: The callable number or account; shown masked only.
        task_id: The order, for the provider's own records.
        script_id: Which script is spoken or sent.
        script_version: In which version; None where the script is the provider's own.
        text: The script's words, filled, the opening of a call included; None where the provider has them.
        templates: The templates that providers have approved for these words, by provider.
        variables: What fills the gaps of a template.
        callback_url: Where the provider reports the result.
        simulation: How the simulated customer behaves, None for real ones and for drawn behaviour.
        timeout_seconds: How long placing the contact may take in all.
    """

    key: str
    channel: Channel
    to: str
    task_id: str
    script_id: str
    variables: Mapping[str, str]
    callback_url: str
    simulation: Mapping[str, object] | None
    timeout_seconds: float
    script_version: str | None = None
    text: str | None = None
    templates: Mapping[str, Template] = field(default_factory=dict)

    def __repr__(self) -> str:
        """The request without anything personal: no number in full, no variable's value."""
        return (
            f"ContactRequest(key={self.key!r}, channel={self.channel.value!r}, to={mask_phone(self.to)!r}, "
            f"task_id={self.task_id!r}, script_id={self.script_id!r})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactQuery:
    """A contact whose outcome is queried, with everything known of it: few providers can find one by our key.

    Attributes:
        key: The attempt's key.
        channel: The way it was to go.
        to: The number or account it was to reach; shown masked only.
        provider_id: The provider's own name for it, None when its answer never came.
        begun_at: When the intent to send was committed.
        age_seconds: How long ago that was, measured on one clock.
    """

    key: str
    channel: Channel
    to: str
    provider_id: str | None
    begun_at: datetime
    age_seconds: float

    def __repr__(self) -> str:
        """What is sought without the number in full."""
        return (
            f"Sought(key={self.key!r}, channel={self.channel.value!r}, to={mask_phone(self.to)!r}, "
            f"provider_id={self.provider_id!r})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactReport:
    """A provider's report of the result of a contact.

    Attributes:
        event_id: Names this report; a repeated callback carries the same.
        key: The attempt's key.
        provider_id: The provider's own name for the contact.
        channel: The way it went.
        result: What came of it.
        transcript: The customer's words, empty without an answer.
        duration_seconds: How long the call lasted, None for texts.
        recording_url: Where the recording is kept, never the recording.
        occurred_at: When, on the provider's clock; None where the result is known at once.
    """

    event_id: str
    key: str
    provider_id: str
    channel: Channel
    result: ContactResult
    transcript: str = field(repr=False)
    duration_seconds: int | None
    recording_url: str | None = field(repr=False)
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted the contact and will report by callback; `duplicate`: it had it before."""

    provider_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing was sent, for certain; another try may succeed."""

    reason: str
    retry_after_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider rejected the request for good; nothing was sent."""

    reason: str
    opted_out: bool = False
    """Whether it does so because the person told the provider that they want no more contact."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It is not known whether the customer was contacted. Never send again before a query by key is answered."""

    reason: str


@dataclass(frozen=True, slots=True)
class Completed:
    """The contact has taken place and its result is known."""

    report: ContactReport


SendOutcome = Accepted | NotSent | Rejected | Unknown | Completed


@dataclass(frozen=True, slots=True)
class ContactFound:
    """The provider has the contact; `report` is None while it has no result yet."""

    provider_id: str
    report: ContactReport | None


@dataclass(frozen=True, slots=True)
class Absent:
    """The provider never received this key; it may be sent again, with the same key only.

    A request that timed out may still be on its way. A provider that de-duplicates by the key may say so at
    once; the adapter of one that does not says so only after any request on its way must have arrived.
    """


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The query was not answered; it is still unknown whether the customer was contacted."""

    reason: str


QueryOutcome = ContactFound | Absent | Unreachable


class ChannelGateway(Protocol):
    """Sends contacts through a provider; safe to share between threads."""

    def send(self, request: ContactRequest) -> SendOutcome:
        """Request one contact; the outcome is a return value, never an exception."""
        ...

    def query(self, sought: ContactQuery, *, timeout_seconds: float) -> QueryOutcome:
        """Query the outcome of a contact."""
        ...

    def close(self) -> None:
        """Close the connections; the gateway cannot be used afterwards."""
        ...
