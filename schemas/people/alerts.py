"""Request and response bodies of the routes of alerts: things a person should look at."""

from typing import Any, Literal

from pydantic import Field

from schemas.access.person import PersonName
from schemas.core.form import Answered, Moment, Remark, Sent, Succeeded

AlertStatus = Literal["pending_review", "acknowledged", "resolved"]


class AlertView(Answered):
    """An alert, as it stands."""

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

    alerts: list[AlertView]
    next_cursor: str | None
    """Hand it back as `cursor` for what follows; null on the last page."""


class AttentionPaid(Sent):
    """A person acknowledges or resolves an alert."""

    by: PersonName | None = None
    """A label beside the key; who does it is the key's owner."""
    note: Remark | None = Field(default=None, min_length=1, max_length=500)
    """What was found or done; without one an earlier note stays."""


class AttentionTaken(Succeeded):
    """What an alert became."""

    outcome: Literal["applied", "repeated"]
    """`repeated` when it was so before; who did it then stays."""
    alert: AlertView
