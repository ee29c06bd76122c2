"""Request and response bodies of the contact agent's routes (seed 000 section 四, Contact)."""

from typing import Literal

from pydantic import Field

from schemas.core.form import GivenMoment, Sent, Succeeded, Text
from schemas.core.identifier import Identifier
from schemas.core.whole_number import WholeNumber
from schemas.orders.contact import Channel, ContactResult


class ContactInitiated(Sent):
    """A contact to be made."""

    task_id: Identifier
    contact_method: Channel
    phone_number: Text | None = Field(default=None, min_length=1, max_length=32, repr=False)
    """Not looked at for the call: the order's own number is called. Numbers change by a signal."""
    script_id: Identifier | None = None
    attempt: WholeNumber | None = Field(default=None, ge=1, le=100)
    """Which attempt of the round this is; once a follow-up is due, 1 is the first of the round it leads into."""


class ContactMade(Succeeded):
    """What came of a contact."""

    contact_id: str
    result: str
    duration_seconds: int | None
    recording_url: str | None
    """For the key's owner that made the contact, as the transcript is."""
    transcript: str | None


class ContactRecorded(Sent):
    """What came of a contact, as the agent who made it says."""

    contact_id: Identifier
    task_id: Identifier
    result: ContactResult
    user_feedback: Text | None = Field(default=None, max_length=4000, repr=False)
    """What the customer wants, in the agent's words; classified rather than the transcript."""
    raw_transcript: Text | None = Field(default=None, max_length=20_000, repr=False)
    contact_time: GivenMoment | None = None
    contact_method: Channel = Channel.PHONE
    """How it was made, for a contact that the agent made by itself."""
    duration_seconds: WholeNumber | None = Field(default=None, ge=0, le=86_400)
    recording_url: Text | None = Field(default=None, max_length=255)


class ContactKept(Succeeded):
    """The result is kept; `outcome` says what became of it."""

    recorded: Literal[True] = True
    next_step: str
    outcome: str
    """`applied`, `early`, `repeated`, `late`, `answered_late` or `kept`: as for a callback."""
