"""The events people watch, as they are answered and as a socket is spoken to (SPEC.md §10)."""

from typing import Literal

from pydantic import Field

from schemas.core.form import Answered, Moment, Sent, Text


class EventView(Answered):
    """What happened, in stable business words; further types may come, and clients ignore those they do not know."""

    event_id: int
    event_type: str
    task_id: str | None
    execution_id: str
    stage: str
    title: str
    status: Literal["running", "waiting", "ready", "failed"]
    artifact_ref: str | None
    interrupt_id: str | None
    """The question that is waited for."""
    until: Moment | None
    """How long it is waited."""
    trace_id: str
    """The same for everything that follows from one request: on executions, logs, webhooks and notices, too."""
    request_id: str | None
    """The request that led to it, or that began its execution."""
    at: Moment


class PlacedEvent(EventView):
    """An event with the id one resumes from, where nothing around it carries that id."""

    id: str
    """The event's place: opaque, to be sent back as it is."""


class EventPage(Answered):
    """Events for one who asks again and again."""

    events: list[PlacedEvent]
    """In order."""
    next: str
    """What to send as `after` the next time; it may come with no events at all."""


class SocketMessage(Sent):
    """What a client of the socket sends: where it goes on, or the key that renews its own."""

    authorization: Text | None = Field(default=None, max_length=300, repr=False)
    """`Bearer KEY`, in place of the one that it came with."""
    after: Text | None = Field(default=None, max_length=64)
    """The id of the last event seen."""
