"""The engine comes to what the specification says, whatever the definition and the order in which steps end.

The suite runs a few fixed examples. By hand, as many random ones as are asked for:
`UNPEND_FAULT_EXAMPLES=2000 .venv/bin/pytest -n 0 -q tests/integration/engine/test_model.py`.
"""

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.support.engine.model_runs import ModelHouse
from tests.support.faults.machine import settings_of as settings
from tests.support.workflow.generated import cases
from tests.support.workflow.model_case import Case

MOST_ENDS = 40


@pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")
@pytest.mark.parametrize("together", [1, 3], ids=["one after another", "several at once"])
def test_a_run_comes_to_what_the_reference_comes_to(database_url: str, together: int) -> None:
    house = ModelHouse.build(database_url)

    @settings(examples=40, steps=1)
    @given(case=cases(), data=st.data())
    def holds(case: Case, data: st.DataObject) -> None:
        carry(house, case, data, together)

    try:
        holds()
    finally:
        house.fleet.close()


def carry(house: ModelHouse, case: Case, data: st.DataObject, together: int) -> None:
    """Carry a run to its end in an order that chance has chosen, and compare after every end."""
    note(f"{case.body}\n{case.plans}")
    run = house.begin(case)
    run.compare()
    losses = 2
    for _ in range(MOST_ENDS):
        open_now = run.open()
        if not open_now:
            return
        first = open_now[data.draw(st.integers(0, len(open_now) - 1), label="which")][1]
        if first["kind"] == "human":
            run.decide(first, data.draw(st.integers(0, 2), label="decision"))
        else:
            others = [row for _, row in open_now if row["kind"] == "action" and row is not first]
            size = data.draw(st.integers(1, min(together, len(others) + 1)), label="together")
            chosen = [first, *others[: size - 1]]
            how = data.draw(st.sampled_from(["once", "once", "twice", "lost"]), label="how")
            if how == "lost" and losses:
                losses -= 1
                run.lose(chosen)
            else:
                run.work(chosen, times=2 if how == "twice" else 1)
        run.compare()
