"""The types of messages that subscribers get, by their names on the wire."""

from enum import StrEnum


class MessageType(StrEnum):
    """What happened to a task; a subscriber chooses among these."""

    CLOSED = "task.closed"
    REVIEW_OPENED = "task.review_opened"
    REVIEW_DECIDED = "task.review_decided"
    REJECTED = "task.rejected"
    WAITING = "task.waiting"
    """The customer asked for later; `next_contact_time` says when."""
