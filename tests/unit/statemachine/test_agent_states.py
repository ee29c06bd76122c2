"""The states of outside agents: what their table says, and how one stands that is looked at."""

import pytest

from statemachine.workflow.agent_states import AGENT_TRANSITIONS, AgentEvent, AgentState, after, seen


def test_every_state_can_be_reached_and_left() -> None:
    assert {state for state, _ in AGENT_TRANSITIONS} == set(AgentState) == set(AGENT_TRANSITIONS.values())


def test_only_registering_ends_a_drain() -> None:
    leaving = {event for state, event in AGENT_TRANSITIONS if state is AgentState.DRAINING}
    assert leaving == {AgentEvent.REGISTER, AgentEvent.EMPTY, AgentEvent.SILENCE}
    assert {event for state, event in AGENT_TRANSITIONS if state is AgentState.OFFLINE} == {
        AgentEvent.REGISTER
    }


def test_what_is_in_no_row_changes_nothing() -> None:
    assert after(AgentState.DRAINING, [AgentEvent.FILL, AgentEvent.FREE]) is AgentState.DRAINING


@pytest.mark.parametrize(
    ("stored", "held", "working_on", "silent", "expected"),
    [
        (AgentState.ACTIVE, 0, 0, False, AgentState.ACTIVE),
        (AgentState.ACTIVE, 2, 0, False, AgentState.BUSY),
        (AgentState.BUSY, 0, 2, False, AgentState.BUSY),
        (AgentState.DRAINING, 1, 0, False, AgentState.DRAINING),
        (AgentState.DRAINING, 0, 1, False, AgentState.DRAINING),
        (AgentState.DRAINING, 0, 0, False, AgentState.OFFLINE),
        (AgentState.BUSY, 2, 2, True, AgentState.OFFLINE),
    ],
)
def test_how_an_agent_stands_is_seen_from_what_it_holds_and_when_it_reported(
    stored: AgentState, held: int, working_on: int, *, silent: bool, expected: AgentState
) -> None:
    assert seen(stored, held=held, most=2, working_on=working_on, silent=silent) is expected
