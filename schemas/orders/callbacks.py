"""The form of a channel's callback, and the response body."""

from typing import Any, Final, Literal

from schemas.core.form import Succeeded

REPORT: Final[dict[str, Any]] = {
    "type": "object",
    "title": "ContactReport",
    "required": ["event_id", "key", "provider_id", "channel", "result"],
    "properties": {
        "event_id": {
            "type": "string",
            "description": "Names this report; a repeated callback carries the same.",
        },
        "key": {"type": "string", "description": "The key the contact was requested under."},
        "provider_id": {"type": "string", "description": "The provider's own name for the contact."},
        "channel": {"type": "string", "enum": ["phone", "sms", "im"]},
        "result": {"type": "string"},
        "transcript": {"type": ["string", "null"]},
        "duration_seconds": {"type": ["integer", "null"]},
        "recording_url": {"type": ["string", "null"]},
        "occurred_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "example": {
        "event_id": "evt_1",
        "key": "HT20260313001.1.1",
        "provider_id": "call-1",
        "channel": "phone",
        "result": "answered",
        "transcript": "用户表示配件未到...",
        "duration_seconds": 120,
        "recording_url": "https://recordings.example/call-1",
        "occurred_at": "2026-03-13T21:05:00Z",
    },
}
"""The schema of a contact report, for the API's description; `tools.channels.signature` reads it."""


class CallbackReceived(Succeeded):
    """A callback that was taken; it need not be sent again."""

    outcome: Literal[
        "applied", "early", "repeated", "late", "answered_late", "kept", "unknown_key", "faulted"
    ]
