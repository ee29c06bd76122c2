"""Request and response bodies of the audit agent's routes (seed 000 section 四 5️⃣)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from schemas.core.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text, storable_object
from schemas.core.identifier import Identifier

Word = Annotated[Text, Field(min_length=1, max_length=32, pattern=r"^\S(?:.*\S)?$")]
"""A name of what was done or of who did it."""
Circumstances = Annotated[dict[str, Any], AfterValidator(storable_object)]
"""What else is known; phone numbers in it are masked before it is stored."""


class LineLogged(Sent):
    """A line for an order's audit log."""

    task_id: Identifier
    event_type: Word
    agent_id: Word
    """Who acted; it may be another than the one whose key this is."""
    action: Word | None = None
    timestamp: GivenMoment | None = None
    """When it happened; now when not given. At most a day ahead of the business clock, and an hour back."""
    metadata: Circumstances = Field(default_factory=dict)


class LineStored(Succeeded):
    """A line that stands in the log."""

    log_id: str
    stored: Literal[True] = True


class AlertSent(Sent):
    """Something a person should look at."""

    alert_type: Word
    task_id: Identifier | None = None
    """The order it is about, if it is about one."""
    severity: Literal["info", "warning", "critical"]
    message: Text = Field(min_length=1, max_length=500)
    metadata: Circumstances = Field(default_factory=dict)


class AlertTaken(Succeeded):
    """An alert that waits for somebody."""

    alert_id: str
    escalated_to: str
    """The role that looks at it first."""
    status: Literal["pending_review"] = "pending_review"


class LoggedLine(Answered):
    """A line of the audit log."""

    log_id: str
    task_id: str
    event_type: str
    agent_id: str
    action: str | None
    timestamp: Moment
    """When it happened, on the business clock."""
    created_at: Moment
    """When it was written, on the database's clock."""
    key_id: str | None
    """Of the key it was done with; none for what the fleet did by itself."""
    label: str | None
    """The name that the key's user gave beside it."""
    metadata: dict[str, Any]


class LineList(Answered):
    """Lines of the audit log, newest first."""

    logs: list[LoggedLine]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""
