"""Response bodies of the orchestrator's routes (seed 000 section 四, Orchestrator)."""

from schemas.core.form import Answered, Moment, Succeeded
from statemachine.orders.states import State


class TaskStarted(Succeeded):
    """An order that was taken in, as it stands."""

    task_id: str
    status: State
    next_action: str
    assigned_agent: str | None
    """Who does it; null when nothing is left to do."""


class TaskProgress(Answered):
    """How far an order has come."""

    contact_count: int
    """Attempts of the current round."""
    max_contacts: int
    last_contact_result: str | None
    """`responded` when the customer answered, else what came of the last attempt; null before the first."""
    user_intent: str | None
    """The first-level intent."""
    confidence: float | None


class TaskStatus(Answered):
    """Where an order stands."""

    task_id: str
    status: State
    progress: TaskProgress
    next_action: str
    created_at: Moment
    updated_at: Moment
