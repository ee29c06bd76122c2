"""How a customer is contacted, and what may come of it: the words every layer and the wire share (SPEC.md §8)."""

from enum import StrEnum


class Channel(StrEnum):
    """By which way a customer is contacted."""

    PHONE = "phone"
    SMS = "sms"
    IM = "im"


class ContactResult(StrEnum):
    """What came of one contact."""

    ANSWERED = "answered"
    """The customer spoke or wrote; the transcript holds the words."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    POWER_OFF = "power_off"
    INVALID_NUMBER = "invalid_number"
    SUSPENDED_NUMBER = "suspended_number"
    VOICEMAIL = "voicemail"
    """A machine answered: an attempt, not an answer."""
    DELIVERED = "delivered"
    """An SMS or IM arrived; the answer to it may follow."""
    UNDELIVERED = "undelivered"
    EXPIRED = "expired"
    """The provider waited for an answer as long as it ever does."""
