"""What is known of open tasks from moment to moment, as lists and the route of live state answer it."""

from enum import StrEnum
from typing import Literal

from schemas.core.form import Answered, Moment


class WaitingFor(StrEnum):
    """What the newest open step of a task waits for."""

    WORKER = "worker"
    """An agent of the fleet: it is under way."""
    TIME = "time"
    """A moment to come: a retry, a contact window, a follow-up."""
    REPLY = "reply"
    """Something outside: a call's result, an answer, a signal."""
    PERSON = "person"
    """A decision."""
    AGENT = "agent"
    """An outside agent that calls for it."""


class LiveStateView(Answered):
    """How an open task stands: its last event for people, and what it waits for."""

    stage: str | None
    """Of the last event; null, with the three that follow, where there was none."""
    title: str | None
    status: Literal["running", "waiting", "ready", "failed"] | None
    at: Moment | None
    attempt: int | None
    """Contacts of the present round; null for general work."""
    waiting_for: WaitingFor | None
    next_at: Moment | None
    """When what it waits for is due, at the latest."""


class LiveTask(Answered):
    """An open task and its live state."""

    task_id: str
    state: str | None
    """The business state of an order; null for general work."""
    status: Literal["created", "running", "paused"]
    """The lifecycle."""
    live: LiveStateView


class LiveOverview(Answered):
    """The live state in Redis: whether it can be relied on, open tasks by state, the newest changes."""

    condition: Literal["current", "behind", "rebuilding", "absent", "away"]
    """`current`: at most some seconds old; `absent`: about to be rebuilt; `away`: Redis does not answer, or there is
    none. Unless it is `current`, lists read PostgreSQL instead."""
    rebuilt: int | None
    """While it is being rebuilt: how many runs are done."""
    total: int | None
    """And of how many."""
    open: dict[str, dict[str, int]]
    """Open tasks by product (`general` where there is none) and state (of general work: the lifecycle)."""
    newest: list[LiveTask]
    """Those that changed last, the newest first."""
