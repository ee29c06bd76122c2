"""What the routes of refused input are sent and answer."""

from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from schemas.core.form import Answered, Moment, Sent, Succeeded, Text
from schemas.orders.intake import Problem
from schemas.people.person import PersonName

RejectSource = Literal["http", "stream", "queue", "command"]
RejectState = Literal["open", "replayed", "dismissed"]

_SUMMARY: Final[dict[str, Any]] = {
    "reject_id": "REJ0199f2c4a1b3c5d7e9f1a2b3c4",
    "source": "queue",
    "task_id": "HT20260313001",
    "order_id": "SO20260313001",
    "problems": [{"field": "priority", "message": "input should be less than or equal to 10"}],
    "rejected_at": "2026-03-13T21:05:00.000Z",
    "times": 1,
    "last_at": "2026-03-13T21:05:00.000Z",
    "state": "open",
    "handled_at": None,
    "handled_by": None,
    "handled_agent": None,
    "replayed_as": None,
}
_REPLAYED: Final[dict[str, Any]] = _SUMMARY | {
    "state": "replayed",
    "handled_at": "2026-03-13T21:15:00.000Z",
    "handled_by": "王芳",
    "handled_agent": "admin",
    "replayed_as": "HT20260313001",
}
_PAYLOAD: Final = (
    '{"task_id": "HT20260313001", "order_id": "SO20260313001", "order_type": "未上门", "priority": 11, '
    '"metadata": {"phone": "138****0000"}}'
)


class RejectSummary(Answered):
    """A refused input, without what came."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_SUMMARY]})

    reject_id: str
    source: RejectSource
    """The door it came by."""
    task_id: str | None
    """As far as one could be read."""
    order_id: str | None
    """As far as one could be read."""
    problems: list[Problem]
    """What is wrong with it, field by field."""
    rejected_at: Moment
    times: int
    """How often the same came by this door while it waited; it is kept once."""
    last_at: Moment
    """When it last came."""
    state: RejectState
    handled_at: Moment | None
    handled_by: str | None
    """Who, as they said."""
    handled_agent: str | None
    """The agent whose key they said it with; null for the command line."""
    replayed_as: str | None
    """The task that was made of it."""


class RejectView(RejectSummary):
    """A refused input with what came."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_SUMMARY | {"payload": _PAYLOAD}]})

    payload: str
    """The text that came, phone numbers masked; JSON only when it is."""


class RejectList(Answered):
    """Refused input, the newest first."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"rejects": [_SUMMARY], "next_cursor": None}]}
    )

    rejects: list[RejectSummary]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class FaultSent(Sent):
    """One thing that is wrong with an input."""

    field: Text = Field(min_length=1, max_length=200)
    message: Text = Field(min_length=1, max_length=1000)


class RejectSent(Sent):
    """Something that is no order, with what is wrong with it."""

    payload: str = Field(max_length=4 * 1_048_576, repr=False)
    """The text that came."""
    problems: list[FaultSent] = Field(min_length=1, max_length=100)
    """What is wrong with it, field by field."""
    task_id: Text | None = Field(default=None, max_length=64)
    """As far as one could be read."""
    order_id: Text | None = Field(default=None, max_length=64)
    """As far as one could be read."""


class RejectsSent(Sent):
    """What came by an entry point outside the API and is no order."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "rejects": [
                        {"payload": "{broken", "problems": [{"field": "line", "message": "is not JSON"}]}
                    ]
                }
            ]
        },
    )

    source: Literal["command"] = "command"
    """The entry point it came by."""
    rejects: list[RejectSent] = Field(min_length=1, max_length=1000)


class RejectsKept(Succeeded):
    """How much was kept."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"success": True, "kept": 1}]})

    kept: int


class ReplayAsked(Sent):
    """Send it in again."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "payload": {
                        "task_id": "HT20260313001",
                        "order_id": "SO20260313001",
                        "order_type": "未上门",
                        "priority": 10,
                        "metadata": {"phone": "138****0000"},
                    }
                },
                {},
            ]
        },
    )

    payload: dict[str, Any] | None = None
    """The corrected task, in a form its door takes; left out, it is sent as it came. Its number may stay masked."""
    by: PersonName | None = None
    """Who; the key's agent when not named."""


class DismissalAsked(Sent):
    """Let it be."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"reason": "上游已重新发送"}]}
    )

    reason: Text = Field(min_length=1, max_length=500)
    """Why; the record keeps it."""
    by: PersonName | None = None
    """Who; the key's agent when not named."""


class Replayed(Succeeded):
    """The task that was made of it."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {"success": True, "task_id": "HT20260313001", "outcome": "accepted", "reject": _REPLAYED}
            ]
        },
    )

    task_id: str
    outcome: Literal["accepted", "existing"]
    """`existing` when this very task was in already; nothing was done twice."""
    reject: RejectSummary


class Dismissed(Succeeded):
    """Nothing will be made of it."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "reject": _REPLAYED | {"state": "dismissed", "replayed_as": None},
                }
            ]
        },
    )

    reject: RejectSummary
