"""The types of webhook messages, by their names in JSON."""

from enum import StrEnum


class MessageType(StrEnum):
    """What happened to a task; a subscriber chooses among these."""

    CLOSED = "task.closed"
    REVIEW_OPENED = "task.review_opened"
    REVIEW_DECIDED = "task.review_decided"
    REJECTED = "task.rejected"
    WAITING = "task.waiting"
    """The customer asked for later; `next_contact_time` says when."""
