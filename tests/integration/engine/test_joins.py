"""Joins of many branches: entered once, with what each branch returned, whatever ends together."""

import pytest

from engine.outcomes import Done
from storage.engine.steps import StepRow
from tests.support.engine.general_runs import ScriptedActions, begin, definition, nodes_of
from tests.support.in_process_fleet import InProcessFleet

BRANCHES = [f"branch{number}" for number in range(60)]
WIDE = [
    {"id": "split", "agent": "orchestrator", "action": "check", "next": BRANCHES},
    *({"id": branch, "agent": "contact", "action": "check"} for branch in BRANCHES),
    {"id": "join", "agent": "action", "action": "check", "needs": BRANCHES},
]


@pytest.mark.parametrize("together", [1, 7, 60])
def test_a_wide_join_is_entered_once_with_the_output_of_every_branch(
    database_url: str, together: int
) -> None:
    bench = ScriptedActions()
    seen: list[StepRow] = []

    def join(step: StepRow) -> Done:
        seen.append(step)
        return Done()

    bench.answers |= dict.fromkeys(BRANCHES, _named) | {"join": join}
    house = InProcessFleet.build(
        database_url,
        actions=bench.actions(),
        workflows=[definition("parallel_branches", steps=WIDE)],
    )
    (run_id,) = begin(house, "parallel_branches")
    house.execute(house.wire.messages.popleft())
    (message,) = house.wire.messages
    house.wire.messages.clear()
    for start in range(0, len(message.keys), together):
        house.engine.execute(message.action, message.keys[start : start + together])
    house.run()
    assert [step.input["needs"] for step in seen] == [{branch: {"from": branch} for branch in BRANCHES}]
    assert nodes_of(house, run_id)["join"] == ["done"]
    with house.database.transaction() as work:
        assert work.connection.exec_driver_sql("SELECT count(*) FROM join_arrivals").scalar_one() == 0
    house.close()


def _named(step: StepRow) -> Done:
    return Done(output={"from": step.node})
