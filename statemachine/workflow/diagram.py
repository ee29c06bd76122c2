"""The states of steps, runs and definitions for people to read, written from their tables."""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from statemachine.workflow.agent_states import AGENT_TRANSITIONS
from statemachine.workflow.states import DEFINITION_TRANSITIONS, RUN_TRANSITIONS, STEP_TRANSITIONS


def page() -> str:
    """Every table as Markdown."""
    return (
        "## The states of a step\n\n"
        "Written from `statemachine/workflow/states.py`. A row is first written in any of the states.\n\n"
        f"{_table(STEP_TRANSITIONS)}\n"
        "## The states of a run\n\n"
        "`created` is shown until the first step of a run has begun; it is stored as `running`.\n\n"
        f"{_table(RUN_TRANSITIONS)}\n"
        "## The states of a version of a definition\n\n"
        "A version of a file in `config/workflows/` is written as `active`, one that is sent as `draft`.\n\n"
        f"{_table(DEFINITION_TRANSITIONS)}\n"
        "## The states of an outside agent\n\n"
        "Written from `statemachine/workflow/agent_states.py` ([outside agents](outside_agents.md)).\n\n"
        f"{_table(AGENT_TRANSITIONS)}"
    )


def _table(transitions: Mapping[tuple[Any, Any], Enum]) -> str:
    rows = "".join(
        f"| {state.value} | {event.value} | {target.value} |\n"
        for (state, event), target in transitions.items()
    )
    return f"| from | what happens | to |\n|---|---|---|\n{rows}"
