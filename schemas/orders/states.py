"""What the state machine's routes are sent and answer (seed 000 section 三)."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.core.form import Answered, Moment, Sent, Succeeded, Text, storable_object
from schemas.core.identifier import Identifier
from statemachine.orders.states import Event, State

_CANCELLATION: Final[dict[str, Any]] = {
    "event": "task.cancel",
    "to_state": "closed",
    "guard": "",
    "ours": True,
}


class AllowedTransition(Answered):
    """A way out of a state."""

    event: Event
    to_state: State
    guard: str
    """The condition as people read it; empty when there is none."""
    ours: bool
    """Whether it is an addition to the seed's table (SPEC.md §1)."""


class TableRow(AllowedTransition):
    """One row of the transition table."""

    from_state: State


class Machine(Answered):
    """The machine itself."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "states": ["pending", "contacting", "closed"],
                    "initial": "pending",
                    "terminal": ["closed"],
                    "transitions": [
                        {
                            "event": "task.start",
                            "to_state": "contacting",
                            "guard": "contact_count < max_contacts",
                            "ours": False,
                            "from_state": "pending",
                        },
                        _CANCELLATION | {"from_state": "contacting"},
                    ],
                }
            ]
        },
    )

    states: list[State]
    initial: State
    terminal: list[State]
    transitions: list[TableRow]


class CurrentState(Answered):
    """Where an order stands, and where it may go."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "task_id": "HT20260313001",
                    "current_state": "waiting_followup",
                    "version": 5,
                    "allowed_transitions": [_CANCELLATION],
                }
            ]
        },
    )

    task_id: str
    current_state: State
    version: int
    """Rises by one with every transition."""
    allowed_transitions: list[AllowedTransition]


class PastTransition(Answered):
    """A transition that was made."""

    transition_id: str
    version: int
    from_state: State
    event: Event
    to_state: State
    agent_id: str
    metadata: dict[str, Any]
    at: Moment


class History(Answered):
    """Every transition of an order, oldest first."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "task_id": "HT20260313001",
                    "transitions": [
                        {
                            "transition_id": "txn_abc123",
                            "version": 1,
                            "from_state": "pending",
                            "event": "task.start",
                            "to_state": "contacting",
                            "agent_id": "orchestrator",
                            "metadata": {"contact_count": 1},
                            "at": "2026-03-13T21:00:00.000Z",
                        }
                    ],
                }
            ]
        },
    )

    task_id: str
    transitions: list[PastTransition]


class Circumstances(BaseModel):
    """What goes with a transition; further fields are allowed."""

    model_config = ConfigDict(extra="allow", frozen=True)

    reason: Text | None = Field(default=None, min_length=1, max_length=500)
    """Why; kept in the history of a cancellation."""

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, given: Any) -> Any:
        return storable_object(given) if isinstance(given, dict) else given


class TransitionRequested(Sent):
    """A transition to be made."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "task_id": "HT20260313001",
                    "from_state": "pending",
                    "to_state": "contacting",
                    "event": "task.start",
                    "agent_id": "orchestrator",
                    "metadata": {"contact_count": 1, "timestamp": "2026-03-13T21:00:00Z"},
                }
            ]
        },
    )

    task_id: Identifier
    from_state: State
    to_state: State
    event: Event
    agent_id: str | None = Field(default=None, max_length=32)
    """Who asks; when given, the key's agent."""
    metadata: Circumstances = Field(default_factory=Circumstances)


class TransitionMade(Succeeded):
    """A transition that was made."""

    model_config = ConfigDict(
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "success": True,
                    "task_id": "HT20260313001",
                    "previous_state": "pending",
                    "current_state": "contacting",
                    "transition_id": "txn_abc123",
                }
            ]
        },
    )

    task_id: str
    previous_state: State
    current_state: State
    transition_id: str
