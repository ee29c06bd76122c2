"""What the route of notices answers: what staff was told, and what became of it."""

from typing import Any, Final, Literal

from pydantic import ConfigDict

from schemas.core.form import Answered, Moment

StaffRole = Literal[
    "engineer", "quality_inspector", "customer_care", "operations", "security_officer", "duty_manager"
]
"""Who can be told."""

_NOTICE: Final[dict[str, Any]] = {
    "key": "ALT0199f2c4a1b3c5d7e9f1a2b3c4",
    "to_role": "duty_manager",
    "recipient": None,
    "title": "客户投诉",
    "state": "sent",
    "tries": 1,
    "due_at": "2026-03-13T21:05:00.000Z",
    "provider": "duty",
    "provider_id": None,
    "last_error": None,
    "created_at": "2026-03-13T21:05:00.000Z",
    "sent_at": "2026-03-13T21:05:01.000Z",
}


class NoticeView(Answered):
    """A notice to staff, as it stands."""

    model_config = ConfigDict(frozen=True, from_attributes=True, json_schema_extra={"examples": [_NOTICE]})

    key: str
    """The id of the alert or the action it tells of."""
    to_role: str
    recipient: str | None
    title: str
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

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"notices": [_NOTICE]}]})

    notices: list[NoticeView]
