"""Request and response bodies of the do-not-call list; a number goes in and never comes out."""

from typing import Literal, Self

from pydantic import Field, model_validator

from schemas.access.person import PersonName
from schemas.core.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text
from schemas.orders.contact import Channel


class DoNotCallView(Answered):
    """A number that is not to be contacted."""

    entry_id: str
    phone: str
    """Masked."""
    channel: Channel | None
    """Null for every channel."""
    reason: str
    added_by: str
    task_id: str | None
    """The order in which the customer said so."""
    until: Moment | None
    """Null for ever."""
    added_at: Moment
    lifted_at: Moment | None
    lifted_by: str | None
    holds: bool
    """False once it was lifted or its time is over."""


class DoNotCallList(Answered):
    """Entries, the newest first."""

    entries: list[DoNotCallView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class DoNotCallSought(Sent):
    """Whose entries are asked for."""

    phone: Text = Field(min_length=1, max_length=32, repr=False)
    ended: bool = Field(default=False, strict=True)
    """Those that were lifted or are over, too."""


class DoNotCallMade(Sent):
    """A number that is not to be contacted, and why."""

    phone: Text = Field(min_length=1, max_length=32, repr=False)
    """In any usual form; without a country it is one of China."""
    reason: Text = Field(min_length=1, max_length=500)
    channel: Channel | None = None
    """Only by this channel; by none when not named."""
    until: GivenMoment | None = None
    """Until then; for ever when not named."""
    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if not self.reason.strip():
            raise ValueError("reason must say why")
        return self


class DoNotCallLifted(Sent):
    """Who lifts it."""

    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""


class DoNotCallTaken(Succeeded):
    """An entry, or its end, that stands."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before."""
    entry: DoNotCallView
