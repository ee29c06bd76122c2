"""The states of outside agents, with one table of what may follow what; the database constraint comes from it."""

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final


class AgentState(Enum):
    """How an outside agent stands."""

    ACTIVE = "active"
    """It may be given work."""
    BUSY = "busy"
    """It holds as many steps as it can, or says so."""
    DRAINING = "draining"
    """It finishes what it holds and is given nothing new."""
    OFFLINE = "offline"
    """It is drained, or silent."""


class AgentEvent(Enum):
    """What moves an outside agent."""

    REGISTER = "it registers"
    FILL = "it is full, or says so"
    FREE = "it can take more, or says so"
    DRAIN = "it is told to drain, or drains by itself"
    EMPTY = "it drains and holds nothing more"
    SILENCE = "it has been silent for 45 seconds"


AGENT_TRANSITIONS: Final[Mapping[tuple[AgentState, AgentEvent], AgentState]] = MappingProxyType(
    {
        (AgentState.DRAINING, AgentEvent.REGISTER): AgentState.ACTIVE,
        (AgentState.OFFLINE, AgentEvent.REGISTER): AgentState.ACTIVE,
        (AgentState.ACTIVE, AgentEvent.FILL): AgentState.BUSY,
        (AgentState.BUSY, AgentEvent.FREE): AgentState.ACTIVE,
        (AgentState.ACTIVE, AgentEvent.DRAIN): AgentState.DRAINING,
        (AgentState.BUSY, AgentEvent.DRAIN): AgentState.DRAINING,
        (AgentState.DRAINING, AgentEvent.EMPTY): AgentState.OFFLINE,
        (AgentState.ACTIVE, AgentEvent.SILENCE): AgentState.OFFLINE,
        (AgentState.BUSY, AgentEvent.SILENCE): AgentState.OFFLINE,
        (AgentState.DRAINING, AgentEvent.SILENCE): AgentState.OFFLINE,
    }
)
"""Every legal move; what is in no row changes nothing.

The row of an agent keeps what it was told or said. That it is full, empty or silent is seen when it is looked at, and
passes with the reason: an agent that reports again after a silence stands where it stood.
"""


def after(state: AgentState, events: Iterable[AgentEvent]) -> AgentState:
    """The state after these events, one after another."""
    for event in events:
        state = AGENT_TRANSITIONS.get((state, event), state)
    return state


def seen(stored: AgentState, *, held: int, most: int, working_on: int, silent: bool) -> AgentState:
    """How an agent stands that holds so many of its most steps, and says it is at so many, from what its row keeps."""
    observed = (
        (AgentEvent.FILL, held >= most),
        (AgentEvent.EMPTY, held == working_on == 0),
        (AgentEvent.SILENCE, silent),
    )
    return after(stored, [event for event, happened in observed if happened])
