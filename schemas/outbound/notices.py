"""What the route of notices answers: what staff was told, and what became of it."""

from typing import Literal

from pydantic import ConfigDict

from schemas.core.form import Answered, Moment

StaffRole = Literal[
    "engineer", "quality_inspector", "customer_care", "operations", "security_officer", "duty_manager",
    "reviewer", "operator", "developer", "manager", "admin",
]  # fmt: skip
"""Who can be told."""


class NoticeView(Answered):
    """A notice to staff, as it stands."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    key: str
    """The id of the alert or the action it tells of."""
    to_role: str
    recipient: str | None
    title: str
    trace_id: str
    state: Literal["waiting", "sent", "given_up"]
    tries: int
    due_at: Moment
    provider: str | None
    provider_id: str | None
    last_error: str | None
    created_at: Moment
    sent_at: Moment | None


class NoticeList(Answered):
    """Notices, the newest first."""

    notices: list[NoticeView]
