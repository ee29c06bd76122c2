"""What the routes of alerts are sent and answer: things a person should look at."""

from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from schemas.core.form import Answered, Moment, Remark, Sent, Succeeded
from schemas.people.person import PersonName

AlertStatus = Literal["pending_review", "acknowledged", "resolved"]

_EXAMPLE: Final[dict[str, Any]] = {
    "alert_id": "ALT0199f2c4a1b3c5d7e9f1a2b3c4",
    "alert_type": "low_confidence",
    "task_id": "HT20260313001",
    "severity": "warning",
    "message": "意图识别置信度低于 60%",
    "metadata": {"confidence": 0.45, "classified_intent": "暂缓"},
    "escalated_to": "quality_inspector",
    "status": "acknowledged",
    "raised_at": "2026-03-13T21:05:00.000Z",
    "handled_at": None,
    "handled_by": "王芳",
    "note": "正在回听录音",
}


class AlertView(Answered):
    """An alert, as it stands."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    alert_id: str
    alert_type: str
    task_id: str | None
    severity: str
    message: str
    metadata: dict[str, Any]
    escalated_to: str
    status: AlertStatus
    raised_at: Moment
    handled_at: Moment | None
    """When it was resolved."""
    handled_by: str | None
    """Who acknowledged it, later who resolved it."""
    note: str | None


class AlertList(Answered):
    """Alerts, the newest first."""

    model_config = ConfigDict(
        frozen=True, json_schema_extra={"examples": [{"alerts": [_EXAMPLE], "next_cursor": None}]}
    )

    alerts: list[AlertView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class AttentionPaid(Sent):
    """A person looks at an alert, or has dealt with it."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"by": "王芳", "note": "正在回听录音"}, {"by": "王芳"}]},
    )

    by: PersonName | None = None
    """Who; the key's agent when not named."""
    note: Remark | None = Field(default=None, min_length=1, max_length=500)
    """What was found or done; without one an earlier note stays."""


class AttentionTaken(Succeeded):
    """What an alert became."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={"examples": [{"success": True, "outcome": "applied", "alert": _EXAMPLE}]},
    )

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; who did it then stays."""
    alert: AlertView
