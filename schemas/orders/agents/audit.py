"""What the audit agent's routes are sent and answer (seed 000 section 四 5️⃣)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field

from schemas.core.form import Answered, GivenMoment, Moment, Sent, Succeeded, Text, storable_object
from schemas.core.identifier import Identifier

Word = Annotated[Text, Field(min_length=1, max_length=32, pattern=r"^\S(?:.*\S)?$")]
"""A name of what was done or of who did it."""
Circumstances = Annotated[dict[str, Any], AfterValidator(storable_object)]
"""What else is known; phone numbers in it are masked before it is stored."""

_LINE: dict[str, Any] = {
    "task_id": "HT20260313001",
    "event_type": "action_executed",
    "agent_id": "action_agent",
    "action": "schedule_followup",
    "timestamp": "2026-03-13T21:10:00Z",
    "metadata": {
        "previous_state": "classified",
        "new_state": "waiting_followup",
        "confidence": 0.95,
        "approval_required": False,
    },
}


class LineLogged(Sent):
    """A line for an order's audit log."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_LINE]})

    task_id: Identifier
    event_type: Word
    agent_id: Word
    """Who acted; it may be another than the one whose key this is."""
    action: Word | None = None
    timestamp: GivenMoment | None = None
    """When it happened; now when not given. At most a day ahead of the business clock."""
    metadata: Circumstances = Field(default_factory=dict)


class LineStored(Succeeded):
    """A line that stands in the log."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"success": True, "log_id": "LOG20260313001", "stored": True}]},
    )

    log_id: str
    stored: Literal[True] = True


class AlertSent(Sent):
    """Something a person should look at."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "alert_type": "low_confidence",
                    "task_id": "HT20260313001",
                    "severity": "warning",
                    "message": "意图识别置信度低于 60%",
                    "metadata": {"confidence": 0.45, "classified_intent": "暂缓"},
                }
            ]
        },
    )

    alert_type: Word
    task_id: Identifier | None = None
    """The order it is about, if it is about one."""
    severity: Literal["info", "warning", "critical"]
    message: Text = Field(min_length=1, max_length=500)
    metadata: Circumstances = Field(default_factory=dict)


class AlertTaken(Succeeded):
    """An alert that waits for somebody."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "alert_id": "ALT001",
                    "escalated_to": "quality_inspector",
                    "status": "pending_review",
                }
            ]
        },
    )

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
    metadata: dict[str, Any]


class LineList(Answered):
    """Lines of the audit log, newest first."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "logs": [_LINE | {"log_id": "LOG20260313001", "timestamp": "2026-03-13T21:10:00.000Z"}],
                    "next_cursor": None,
                }
            ],
        },
    )

    logs: list[LoggedLine]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""
