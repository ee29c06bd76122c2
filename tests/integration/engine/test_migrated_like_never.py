"""Whatever the definition and wherever a run stands: under new names it ends as it would have ended."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from statemachine.workflow.states import RunState
from storage.engine.definitions import Definitions
from tests.support.engine.general_runs import begin
from tests.support.engine.migrated_runs import row_of, to_next
from tests.support.engine.written_runs import WrittenRuns, body_of, returns

_BLOCKS = ("action", "human", "wait", "event", "fork", "choice", "scope", "each", "read")


@dataclass(frozen=True)
class Case:
    """A definition with its steps under new names, and after how many moves a run migrates."""

    steps: list[dict[str, Any]]
    names: Mapping[str, str]
    after: int


@st.composite
def cases(draw: st.DrawFn) -> Case:
    blocks = draw(st.lists(st.sampled_from(_BLOCKS), min_size=1, max_size=5))
    steps: list[dict[str, Any]] = [{"id": "s", "next": "b0"}]
    for nth, block in enumerate(blocks):
        steps += _block(block, f"b{nth}", f"b{nth + 1}" if nth + 1 < len(blocks) else "z")
    steps.append({"id": "z"})
    ids = [each["id"] for each in _all(steps)]
    # The same names in another order: each step takes the name of another.
    names = dict(zip(ids, draw(st.permutations(ids)), strict=True))
    return Case(steps, names, draw(st.integers(0, 3 * len(ids))))


def _block(block: str, at: str, following: str) -> list[dict[str, Any]]:
    """The steps of one part of a definition, which begins with the step `at`."""
    inner = [{"id": f"{at}i", "next": f"{at}k"}, {"id": f"{at}k", "type": "wait", "seconds": 10}]
    first: dict[str, dict[str, Any]] = {
        "action": {"next": following},
        "human": {"type": "human", "decisions": {"go": f"{at}y", "no": "end"}},
        "wait": {"type": "wait", "seconds": 60, "next": following},
        "event": {
            "type": "wait",
            "events": [{"signal": "never", "next": "end"}, {"timer": 90, "next": following}],
        },
        "fork": {"type": "pass", "next": [f"{at}l", f"{at}r"]},
        "choice": {
            "type": "gateway",
            "condition": f"steps.s.node == '{at}'",
            "next": "z",
            "else": f"{at}e",
        },
        "scope": {"type": "scope", "steps": inner, "next": following},
        "each": {
            "type": "wait",
            "seconds": 5,
            "for_each": {"in": "${[1, 2, 3]}", "limit": 1},
            "next": following,
        },
        "read": {"type": "set", "set": {"seen": "${steps.s.node}"}, "next": following},
    }
    further: dict[str, list[dict[str, Any]]] = {
        "human": [{"id": f"{at}y", "next": following}],
        "fork": [
            {"id": f"{at}l", "next": f"{at}j"},
            {"id": f"{at}r", "type": "wait", "seconds": 30, "next": f"{at}j"},
            {"id": f"{at}j", "type": "gateway", "mode": "parallel", "join": "all", "next": following},
        ],
        "choice": [{"id": f"{at}e", "next": following}],
    }
    return [{"id": at, **first[block]}, *further.get(block, [])]


def _all(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        yield from _all(step.get("steps", []))


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A part of a definition with its steps under other names."""
    if isinstance(value, dict):
        return {key: _renamed(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, names) for each in value]
    if isinstance(value, str):
        return names.get(value, value.replace("steps.s.", f"steps.{names['s']}."))
    return value


def _carried(runs: WrittenRuns, run_id: str, moves: int | None = None) -> None:
    """Carry a run on, a message, an answer or a moment at a time."""
    made = 0
    while moves is None or made < moves:
        made += 1
        house = runs.house
        if house.wire.messages:
            house.execute(house.wire.messages.popleft())
            continue
        swept = house.tick.sweep()
        if (swept is not None and swept.any) or house.wire.messages:
            continue
        if runs.state(run_id) is not RunState.RUNNING:
            return
        asked = _asked(runs, run_id)
        if asked is not None:
            with house.engine.transaction() as transaction:
                transaction.complete({asked: {"decision": "go"}})
        else:
            house.leap()


def _asked(runs: WrittenRuns, run_id: str) -> int | None:
    with runs.house.database.transaction() as work:
        found: int | None = work.connection.exec_driver_sql(
            "SELECT min(step_id) FROM steps WHERE run_id = %s AND kind = 'human' AND state = 'parked'",
            (run_id,),
        ).scalar_one()
    return found


@pytest.fixture
def runs(database_url: str) -> Iterator[WrittenRuns]:
    with WrittenRuns.of(database_url, "steps: [{id: a}]") as known:
        yield known


_number = iter(range(1, 10_000))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(case=cases())
def test_a_run_under_new_names_ends_as_it_would_have(runs: WrittenRuns, case: Case) -> None:
    name = f"tried_{next(_number)}"
    written = {"workflow": name, "variables": {"seen": {"default": "", "merge": "last"}}}
    old = body_of(written | {"version": "1", "steps": case.steps})
    new = body_of(written | {"version": "2", "steps": _renamed(case.steps, case.names)})
    house = runs.house
    with house.database.transaction() as work:
        Definitions(work).register(name, "1", old)
    house.engine.catalogue.forget()
    for node in case.names:
        runs.bench.answers[node] = returns(node="b1")
    ours, twin = begin(house, name), begin(house, name)
    with house.database.transaction() as work:
        Definitions(work).register(name, "2", new)
    _carried(runs, ours[0], case.after)
    if runs.state(ours[0]) is RunState.RUNNING:
        (result,) = to_next(runs, workflow=name, steps=case.names, runs=ours).runs
        assert result.problems == ()
    moved = row_of(runs, ours[0]).version == "2"
    _carried(runs, ours[0])
    _carried(runs, twin[0])
    expected = {
        (case.names.get(node, node) if moved else node): states
        for node, states in runs.nodes(twin[0]).items()
    }
    assert runs.nodes(ours[0]) == expected
    assert runs.state(ours[0]) is RunState.COMPLETED
    assert runs.variables(ours[0]) == runs.variables(twin[0])
    assert runs.left_over(ours[0]) == 0
