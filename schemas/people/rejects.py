"""Request and response bodies of the routes of rejects."""

from typing import Any, Literal

from pydantic import Field

from schemas.access.person import PersonName
from schemas.core.form import Answered, Moment, Sent, Succeeded, Text
from schemas.core.problems import Problem

RejectSource = Literal["http", "stream", "queue", "command", "trigger"]
RejectState = Literal["open", "replayed", "dismissed"]


class RejectSummary(Answered):
    """A refused input, without what came."""

    reject_id: str
    source: RejectSource
    """The entry point it came by."""
    task_id: str | None
    """As far as one could be read."""
    order_id: str | None
    """As far as one could be read."""
    problems: list[Problem]
    """What is wrong with it, field by field."""
    rejected_at: Moment
    times: int
    """How often the same came by this entry point while it waited; it is kept once."""
    last_at: Moment
    """When it last came."""
    state: RejectState
    handled_at: Moment | None
    handled_by: str | None
    """Who, as they said."""
    replayed_as: str | None
    """The task that was made of it."""


class RejectView(RejectSummary):
    """A refused input with what came."""

    payload: str
    """The text that came, phone numbers masked; JSON only when it is."""


class RejectList(Answered):
    """Refused input, the newest first."""

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

    source: Literal["command"] = "command"
    """The entry point it came by."""
    rejects: list[RejectSent] = Field(min_length=1, max_length=1000)


class RejectsKept(Succeeded):
    """How much was kept."""

    kept: int


class ReplayAsked(Sent):
    """Send it in again."""

    payload: dict[str, Any] | None = None
    """The corrected task, in a form its entry point takes; left out, it is sent as it came. Numbers may be masked."""
    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""


class DismissalAsked(Sent):
    """Let it be."""

    reason: Text = Field(min_length=1, max_length=500)
    """Why; the record keeps it."""
    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""


class RejectReplayed(Succeeded):
    """The task that was made of it."""

    task_id: str
    outcome: Literal["accepted", "existing"]
    """`existing` when this very task was in already; nothing was done twice."""
    reject: RejectSummary


class RejectDismissed(Succeeded):
    """Nothing will be made of it."""

    reject: RejectSummary
