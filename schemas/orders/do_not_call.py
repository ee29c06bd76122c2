"""What the routes of the do-not-call list are sent and answer; a number goes in and never comes out."""

from typing import Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from schemas.core.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text
from schemas.orders.contact import Channel
from schemas.people.person import PersonName

_ENTRY: Final[dict[str, Any]] = {
    "entry_id": "dnc_199f2c4a1b3c5d7e9f1a2b3c4",
    "phone": "138****8000",
    "channel": None,
    "reason": "客户要求不要再联系",
    "added_by": "customer",
    "task_id": "HT20260313001",
    "until": None,
    "added_at": "2026-03-13T21:05:00.000Z",
    "lifted_at": None,
    "lifted_by": None,
    "holds": True,
}


class DoNotCallView(Answered):
    """A number that is not to be contacted."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_ENTRY]})

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

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"entries": [_ENTRY], "next_cursor": None}]}
    )

    entries: list[DoNotCallView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class DoNotCallSought(Sent):
    """Whose entries are asked for."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"phone": "138 0013 8000"}]}
    )

    phone: Text = Field(min_length=1, max_length=32, repr=False)
    ended: bool = False
    """Those that were lifted or are over, too."""


class DoNotCallMade(Sent):
    """A number that is not to be contacted, and why."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"phone": "138 0013 8000", "reason": "客户致电要求", "by": "王芳"},
                {
                    "phone": "138 0013 8000",
                    "reason": "住院",
                    "channel": "phone",
                    "until": "2026-05-01T00:00:00+08:00",
                },
            ]
        },
    )

    phone: Text = Field(min_length=1, max_length=32, repr=False)
    """In any usual form; without a country it is one of China."""
    reason: Text = Field(min_length=1, max_length=500)
    channel: Channel | None = None
    """Only by this channel; by none when not named."""
    until: GivenMoment | None = None
    """Until then; for ever when not named."""
    by: PersonName | None = None
    """Who; the key's agent when not named."""

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if not self.reason.strip():
            raise ValueError("reason must say why")
        return self


class DoNotCallLifted(Sent):
    """Who lifts it."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"by": "王芳"}]})

    by: PersonName | None = None
    """Who; the key's agent when not named."""


class DoNotCallTaken(Succeeded):
    """An entry, or its end, that stands."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"success": True, "outcome": "applied", "entry": _ENTRY}]},
    )

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before."""
    entry: DoNotCallView
