"""Request and response bodies of the state machine's routes (seed 000 section 三)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.core.form import Answered, Moment, Sent, Succeeded, Text, storable_object
from schemas.core.identifier import Identifier
from statemachine.orders.states import Event, State


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

    states: list[State]
    initial: State
    terminal: list[State]
    transitions: list[TableRow]


class CurrentState(Answered):
    """Where an order stands, and where it may go."""

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

    task_id: Identifier
    from_state: State
    to_state: State
    event: Event
    agent_id: str | None = Field(default=None, max_length=32)
    """Who asks; when given, the key's agent."""
    metadata: Circumstances = Field(default_factory=Circumstances)


class TransitionMade(Succeeded):
    """A transition that was made."""

    task_id: str
    previous_state: State
    current_state: State
    transition_id: str
