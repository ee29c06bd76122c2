"""Bodies of the routes by which events, messages and signals come in, and of schedules."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from schemas.core.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text, storable_payload
from schemas.core.whole_number import WholeNumber

LONGEST_TTL: Final = 31 * 24 * 3600
"""Seconds a message may be kept."""

EntryName = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.\-]{0,127}$")]
SourceId = Annotated[str, Field(pattern=r"^[\w.\-]{1,128}$")]
Payload = Annotated[Any, AfterValidator(storable_payload)]


class SignalSent(Sent):
    """Something that is told to all who wait for it now, and to nobody later."""

    name: EntryName
    id: SourceId | None = None
    """The sender's own: the same again under this name does nothing twice."""
    payload: Payload = Field(default_factory=dict)
    occurred_at: GivenMoment | None = None
    """When it happened; now, where it is not said."""


class EventSent(SignalSent):
    """Something that has happened: it begins runs of the workflows that have a trigger for it."""


class MessageSent(SignalSent):
    """Something for one receiver: the oldest that waits for this name and key, or the first that will."""

    key: Annotated[Text, Field(max_length=256)] = ""
    """Which of those that wait for the name it is for, such as the number of an order."""
    ttl_seconds: WholeNumber = Field(default=3600, ge=1, le=LONGEST_TTL)
    """How long it is kept for its receiver."""


class EntryTaken(Succeeded):
    """What came is committed, and this came of it."""

    entry_id: int
    runs: list[str]
    """The runs that began with it."""
    receivers: int
    """How many that waited it has reached."""
    kept: bool
    """A message that nobody waited for yet: who waits next gets it."""
    refused: int
    """Runs that could not begin with it: they lie among the refused input, with the reason."""
    dispatched: bool
    """`false`: it is committed, and the fleet does the rest within seconds."""
    repeated: bool
    """It was here before; nothing was done twice."""


class ScheduleView(Answered):
    """A schedule of a workflow."""

    workflow: str
    version: str
    cron: str
    words: str
    """The cron line in words."""
    timezone: str
    next_due: Moment | None
    """Null: no time fits any more."""
    last_due: Moment | None
    """The last time for which a run was begun."""
    last_run_id: str | None
    queued: list[Moment]
    """Times whose runs wait for the one before to end."""


class ScheduleList(Answered):
    """Every schedule, by workflow."""

    schedules: list[ScheduleView]
