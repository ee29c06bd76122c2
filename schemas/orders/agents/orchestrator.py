"""What the orchestrator's routes answer (seed 000 section 四, Orchestrator)."""

from pydantic import ConfigDict

from schemas.core.form import Answered, Moment, Succeeded
from statemachine.orders.states import State


class TaskStarted(Succeeded):
    """An order that was taken in, as it stands."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "task_id": "HT20260313001",
                    "status": "contacting",
                    "next_action": "contact_user",
                    "assigned_agent": "contact_agent",
                }
            ]
        },
    )

    task_id: str
    status: State
    next_action: str
    assigned_agent: str | None
    """Who does it; null when nothing is left to do."""


class Progress(Answered):
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

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "task_id": "HT20260313001",
                    "status": "classified",
                    "progress": {
                        "contact_count": 2,
                        "max_contacts": 4,
                        "last_contact_result": "responded",
                        "user_intent": "暂缓",
                        "confidence": 0.92,
                    },
                    "next_action": "schedule_followup",
                    "created_at": "2026-03-13T21:00:00.000Z",
                    "updated_at": "2026-03-13T21:05:00.000Z",
                }
            ]
        },
    )

    task_id: str
    status: State
    progress: Progress
    next_action: str
    created_at: Moment
    updated_at: Moment
