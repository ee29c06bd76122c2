"""The events people watch, as they are answered and as a socket is spoken to (SPEC.md §10)."""

from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from schemas.core.form import Answered, Moment, Sent, Text

EXAMPLE: Final[dict[str, Any]] = {
    "event_id": 4711,
    "event_type": "intent_classified",
    "task_id": "HT20260313001",
    "execution_id": "exec_019ce8f2a40a1b2c3d4e5f607",
    "stage": "triage",
    "title": "识别意图: 配件未到",
    "status": "running",
    "artifact_ref": None,
    "at": "2026-03-13T21:05:00.000Z",
}
_EXAMPLE_ID: Final = "90210-4711"


class EventView(Answered):
    """What happened, in stable business words; further types may come, and clients ignore those they do not know."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    event_id: int
    event_type: str
    task_id: str | None
    execution_id: str
    stage: str
    title: str
    status: Literal["running", "waiting", "ready", "failed"]
    artifact_ref: str | None
    at: Moment


class PlacedEvent(EventView):
    """An event with the id one resumes from, where nothing around it carries that id."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"id": _EXAMPLE_ID, **EXAMPLE}]})

    id: str
    """The event's place: opaque, to be sent back as it is."""


class EventPage(Answered):
    """Events for one who asks again and again."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [{"events": [{"id": _EXAMPLE_ID, **EXAMPLE}], "next": _EXAMPLE_ID}],
        },
    )

    events: list[PlacedEvent]
    """In order."""
    next: str
    """What to send as `after` the next time; it may come with no events at all."""


class SocketMessage(Sent):
    """What a client of the socket sends: who it is, and where it goes on."""

    authorization: Text | None = Field(default=None, max_length=300, repr=False)
    """`Bearer KEY`; in the first message, when the handshake had no such header."""
    after: Text | None = Field(default=None, max_length=64)
    """The id of the last event seen."""
