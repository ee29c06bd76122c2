"""A gateway whose condition has no value fails as a step does, and nothing beside it is touched."""

from collections.abc import Iterator

import pytest

from engine.outcomes import Done
from statemachine.workflow.states import RunState
from tests.support.engine.general_runs import ScriptedActions, begin, nodes_of, state_of
from tests.support.in_process_fleet import InProcessFleet


@pytest.fixture
def dividing(database_url: str, bench: ScriptedActions) -> Iterator[InProcessFleet]:
    """A fleet with a gateway that divides, after a step and at the beginning, with its failure handled or not."""
    gateway = {
        "id": "enough",
        "type": "gateway",
        "condition": "1 / count > 0.1",
        "next": "last",
        "else": "end",
    }
    last = {"id": "last", "agent": "audit", "action": "check"}
    first = {"id": "first", "agent": "contact", "action": "check", "next": "enough"}
    mend = {"id": "mend", "agent": "triage", "action": "check"}
    built = InProcessFleet.build(
        database_url,
        actions=bench.actions(),
        workflows=[
            {"workflow": "later", "version": "1.0", "steps": [first, gateway, last]},
            {"workflow": "at_once", "version": "1.0", "steps": [gateway, last]},
            {
                "workflow": "handled",
                "version": "1.0",
                "steps": [first, {**gateway, "on_error": "mend"}, last, mend],
            },
        ],
    )
    yield built
    built.close()


@pytest.mark.parametrize(
    ("workflow", "nodes", "state"),
    [
        ("later", {"first": ["done"], "enough": ["failed"]}, RunState.FAILED),
        ("at_once", {"enough": ["failed"]}, RunState.FAILED),
        ("handled", {"first": ["done"], "enough": ["failed"], "mend": ["done"]}, RunState.COMPLETED),
    ],
)
def test_a_gateway_whose_condition_has_no_value_is_a_failed_step(
    dividing: InProcessFleet,
    bench: ScriptedActions,
    workflow: str,
    nodes: dict[str, list[str]],
    state: RunState,
) -> None:
    bench.answers["first"] = lambda _: Done(output={"count": 0})
    (run_id,) = begin(dividing, workflow, variables={"count": 0})
    dividing.run()
    assert nodes_of(dividing, run_id) == nodes
    assert state_of(dividing, run_id) == state


def test_what_runs_beside_one_whose_condition_has_no_value_goes_on(
    dividing: InProcessFleet, bench: ScriptedActions
) -> None:
    runs = begin(dividing, "later", runs=3)
    bench.answers["first"] = lambda step: Done(output={"count": 0 if step.run_id == runs[1] else 1})
    dividing.run()
    assert [state_of(dividing, run_id) for run_id in runs] == [
        RunState.COMPLETED,
        RunState.FAILED,
        RunState.COMPLETED,
    ]
