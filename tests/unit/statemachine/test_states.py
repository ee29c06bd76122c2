"""The states of steps and runs: what their tables say, and that everything else is derived from them."""

import re

import pytest

from runtime.settings import PROJECT
from statemachine.workflow.states import (
    OPEN_RUNS,
    OPEN_STEPS,
    RUN_TRANSITIONS,
    STEP_ENDS,
    STEP_TRANSITIONS,
    WAITING_STEPS,
    RunEvent,
    RunState,
    StepEvent,
    StepState,
    events_of,
    literals,
    sources,
)


def test_nothing_leaves_a_state_in_which_a_step_ends() -> None:
    assert {state for state, _ in STEP_TRANSITIONS} == OPEN_STEPS
    assert set(StepState) == STEP_ENDS | OPEN_STEPS


def test_every_state_of_a_step_can_be_reached_from_another() -> None:
    assert set(STEP_TRANSITIONS.values()) == set(StepState)


def test_a_step_can_be_cancelled_wherever_it_is_until_it_ends() -> None:
    cancelled = {state for state, event in STEP_TRANSITIONS if event is StepEvent.CANCEL}
    assert cancelled == OPEN_STEPS


def test_only_a_step_in_somebodys_hands_is_not_waiting() -> None:
    assert {StepState.LEASED} == OPEN_STEPS - WAITING_STEPS


@pytest.mark.parametrize("event", RunEvent)
def test_a_runs_event_has_the_states_that_the_table_gives_it(event: RunEvent) -> None:
    assert sources(event) == {state for state, known in RUN_TRANSITIONS if known is event}
    assert all(event in events_of(state) for state in sources(event))


def test_only_an_open_run_can_be_paused_resumed_or_cancelled() -> None:
    assert sources(RunEvent.PAUSE) | sources(RunEvent.RESUME) == OPEN_RUNS == sources(RunEvent.CANCEL)


def test_a_failed_run_can_be_taken_up_again_and_no_other() -> None:
    assert sources(RunEvent.RETRY) == {RunState.FAILED}


def test_literals_keep_the_order_of_the_enumeration() -> None:
    assert literals({StepState.FAILED, StepState.DONE}) == "'done', 'failed'"


_NAMED = re.compile(r"\b(?:s\.|steps\.|c\.)?state\s*(?:=|<>|IN|NOT IN)\s*\(?((?:'\w+'(?:,\s*)?)+)")


def test_sql_about_the_engines_tables_names_no_state_by_hand() -> None:
    by_hand = [
        f"{path.name}: {found[0]}"
        for path in sorted((PROJECT / "storage" / "engine").glob("*.py"))
        for found in _NAMED.finditer(path.read_text(encoding="utf-8"))
    ]
    assert by_hand == []
