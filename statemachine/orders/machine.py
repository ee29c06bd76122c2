"""The transition table of orders; the diagram, the 409s, the database constraint and the tests come from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from statemachine.orders.guards import Facts, Guard, holds
from statemachine.orders.states import OPEN_STATES, Event, State


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. `ours` marks rows that the seed's table does not have (SPEC.md §1)."""

    source: State
    event: Event
    target: State
    guard: Guard = Guard.NONE
    ours: bool = False


_ROWS: Final[tuple[Transition, ...]] = (
    Transition(State.PENDING, Event.START, State.CONTACTING, Guard.ATTEMPTS_LEFT),
    Transition(State.CONTACTING, Event.USER_RESPONDED, State.RESPONDED),
    Transition(State.CONTACTING, Event.USER_NO_ANSWER, State.NO_RESPONSE),
    Transition(State.NO_RESPONSE, Event.CONTACT_RETRY, State.CONTACTING, Guard.ATTEMPTS_LEFT),
    Transition(State.NO_RESPONSE, Event.CONTACT_MAX_REACHED, State.CLOSED, Guard.NO_ATTEMPTS_LEFT),
    Transition(State.RESPONDED, Event.TRIAGE_COMPLETE, State.CLASSIFIED, Guard.CONFIDENT),
    Transition(State.CLASSIFIED, Event.ACTION_EXECUTE, State.ACTION_TAKEN, Guard.PERMITTED),
    Transition(State.ACTION_TAKEN, Event.INTENT_POSTPONE, State.WAITING_FOLLOWUP, Guard.FOLLOWUP_TIME_SET),
    Transition(State.ACTION_TAKEN, Event.INTENT_RESUME, State.CLOSED),
    Transition(State.ACTION_TAKEN, Event.INTENT_TERMINATE, State.CLOSED),
    Transition(State.WAITING_FOLLOWUP, Event.FOLLOWUP_TIME_REACHED, State.CONTACTING, Guard.FOLLOWUP_DUE),
    Transition(State.NO_RESPONSE, Event.USER_RESPONDED, State.RESPONDED, ours=True),
    Transition(State.WAITING_FOLLOWUP, Event.USER_RESPONDED, State.RESPONDED, ours=True),
    Transition(
        State.RESPONDED, Event.REVIEW_RECONTACT, State.CONTACTING, Guard.REVIEW_AND_ATTEMPTS_LEFT, ours=True
    ),
    Transition(
        State.CLASSIFIED, Event.REVIEW_RECONTACT, State.CONTACTING, Guard.REVIEW_AND_ATTEMPTS_LEFT, ours=True
    ),
    *(
        Transition(state, Event.REVIEW_CLOSE, State.CLOSED, Guard.REVIEW_WITH_REASON, ours=True)
        for state in State
        if state in OPEN_STATES
    ),
    *(
        Transition(state, event, State.CLOSED, ours=True)
        for event in (Event.CANCEL, Event.TIMEOUT)
        for state in State
        if state in OPEN_STATES
    ),
)

TRANSITIONS: Final[Mapping[tuple[State, Event], Transition]] = MappingProxyType(
    {(row.source, row.event): row for row in _ROWS},
)
"""Every legal move, by the state it leaves and the event that makes it."""

ANSWERABLE: Final = frozenset(source for source, event in TRANSITIONS if event is Event.USER_RESPONDED)
"""The states in which a customer's words can count as their answer."""

TERMINAL: Final = frozenset(State) - {source for source, _ in TRANSITIONS}
"""The states nothing leaves."""


class IllegalTransition(Exception):
    """The order's state does not allow this event; nothing was changed."""

    def __init__(self, state: State, event: Event, guard: Guard | None = None) -> None:
        self.state = state
        self.event = event
        self.guard = guard
        because = f": it needs {guard.value}" if guard else ""
        super().__init__(f"an order that is '{state}' cannot take '{event}'{because}")

    @property
    def requested(self) -> State | None:
        """The state that this event leads to, where the table has such a row."""
        row = TRANSITIONS.get((self.state, self.event))
        return row.target if row else None


def transition(state: State, event: Event, facts: Facts) -> Transition:
    """Return the table's row for this event in this state.

    Raises:
        IllegalTransition: the table has no such row, or its guard does not hold.
    """
    row = TRANSITIONS.get((state, event))
    if row is None:
        raise IllegalTransition(state, event)
    if not holds(row.guard, facts):
        raise IllegalTransition(state, event, row.guard)
    return row


def allowed_from(state: State) -> tuple[Transition, ...]:
    """Return every transition from this state, in the table's order."""
    return tuple(row for row in _ROWS if row.source is state)
