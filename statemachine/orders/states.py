"""The eight business states of a suspended order (SPEC.md §1, seed 000 section 三)."""

from enum import StrEnum


class State(StrEnum):
    """The states of a suspended order; the value is the one in JSON and in the database."""

    PENDING = "pending"
    """Accepted. `task.start` moves it on; an order that failed validation waits here with a review."""
    CONTACTING = "contacting"
    """An attempt to reach the customer is due or under way. The contact agent moves it on."""
    RESPONDED = "responded"
    """The customer said something. The triage agent, or a person, moves it on."""
    NO_RESPONSE = "no_response"
    """The attempt reached nobody. The orchestrator retries it or ends it; a late answer still counts."""
    CLASSIFIED = "classified"
    """The intent is known. The action agent moves it on, after an undo window for cancellations."""
    ACTION_TAKEN = "action_taken"
    """The intent was carried out. The round ends from here."""
    WAITING_FOLLOWUP = "waiting_followup"
    """Parked until the agreed time. Beat wakes it; the customer may call first."""
    CLOSED = "closed"
    """Final; `finish_reason` says why."""


OPEN_STATES = frozenset(State) - {State.CLOSED}
"""Every state an order can still leave."""


class Event(StrEnum):
    """The events that change an order's state; the value is the one in JSON."""

    START = "task.start"
    USER_RESPONDED = "user.responded"
    USER_NO_ANSWER = "user.no_answer"
    CONTACT_RETRY = "contact.retry"
    CONTACT_MAX_REACHED = "contact.max_reached"
    TRIAGE_COMPLETE = "triage.complete"
    ACTION_EXECUTE = "action.execute"
    INTENT_POSTPONE = "intent=暂缓"
    INTENT_RESUME = "intent=继续"
    INTENT_TERMINATE = "intent=终止"
    FOLLOWUP_TIME_REACHED = "followup.time_reached"
    CANCEL = "task.cancel"
    TIMEOUT = "task.timeout"
    REVIEW_CLOSE = "review.close"
    REVIEW_RECONTACT = "review.recontact"


CUTS_SHORT = frozenset({Event.CANCEL, Event.TIMEOUT, Event.REVIEW_CLOSE})
"""The events that close an order whatever it was about to do."""
