"""Gateways of every mode, and where branches wait for one another."""

import pytest

from statemachine.workflow.states import RunState
from tests.support.engine.written_runs import WrittenRuns

SPLIT_AND_JOIN = """
steps:
- {{id: split, type: gateway, mode: {mode}, next: {next}}}
- {{id: a, next: meet}}
- {{id: b, next: meet}}
- {{id: c, next: meet}}
- {{id: meet, type: gateway, mode: {mode}, join: {join}, next: after}}
- {{id: after}}
"""
CHOICES = '[{if: "x > 0", to: a}, {if: "x > 1", to: b}, {if: "x > 2", to: c}]'


def test_all_branches_are_taken_and_waited_for(database_url: str) -> None:
    written = SPLIT_AND_JOIN.format(mode="parallel", next="[a, b, c]", join="all")
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id)["after"] == ["done"]
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)


@pytest.mark.parametrize(("x", "taken"), [(1, "a"), (2, "ab"), (3, "abc")])
def test_those_branches_are_waited_for_that_can_still_come(database_url: str, x: int, taken: str) -> None:
    written = SPLIT_AND_JOIN.format(mode="inclusive", next=CHOICES, join="all")
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(x=x)
        nodes = runs.nodes(run_id)
        assert sorted(set("abc") & nodes.keys()) == list(taken)
        assert nodes["after"] == ["done"]
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)


def test_the_first_condition_that_holds_decides(database_url: str) -> None:
    written = f"""
    steps:
    - {{id: choose, type: gateway, next: {CHOICES}, else: end}}
    - {{id: a}}
    - {{id: b}}
    - {{id: c}}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(x=3)
        assert runs.nodes(run_id).keys() == {"choose", "a"}
        assert runs.nodes(runs.begin(x=0)).keys() == {"choose"}


def test_a_gateway_of_which_no_branch_is_open_fails_with_no_branch(database_url: str) -> None:
    written = f"steps: [{{id: choose, type: gateway, next: {CHOICES}}}, {{id: a}}, {{id: b}}, {{id: c}}]"
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(x=0)
        assert (runs.state(run_id), runs.error(run_id)) == (RunState.FAILED, "no_branch")


def test_the_first_branch_goes_on_and_the_others_are_only_let_in(database_url: str) -> None:
    written = SPLIT_AND_JOIN.format(mode="parallel", next="[a, b, c]", join="any")
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id)["after"] == ["done"]
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)


def test_enough_branches_go_on_and_the_others_are_cancelled(database_url: str) -> None:
    written = """
    steps:
    - {id: split, type: gateway, mode: parallel, next: [a, b, slow]}
    - {id: a, next: meet}
    - {id: b, next: meet}
    - {id: slow, type: wait, seconds: 60, next: meet}
    - {id: meet, type: gateway, mode: parallel, join: {count: 2, cancel: true}, next: after}
    - {id: after}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id)["slow"] == ["cancelled"]
        assert runs.nodes(run_id)["after"] == ["done"]
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)


def test_a_step_may_need_some_of_several(database_url: str) -> None:
    written = """
    steps:
    - {id: a}
    - {id: slow, type: wait, seconds: 60}
    - {id: quick, needs: [a, slow], join: any}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id)["quick"] == ["done"]
        runs.pass_time(61)
        assert runs.nodes(run_id)["quick"] == ["done"]
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)


def test_a_branch_that_comes_twice_waits_for_the_next_round(database_url: str) -> None:
    written = """
    variables: {rounds: {default: 0, merge: sum}}
    steps:
    - {id: start, type: pass, next: split}
    - {id: split, type: gateway, mode: parallel, next: [a, b]}
    - {id: a, next: meet}
    - {id: b, next: meet}
    - {id: meet, type: gateway, mode: parallel, join: all, next: count}
    - {id: count, type: set, set: {rounds: "${1}"}, next: again}
    - {id: again, type: gateway, condition: rounds < 3, next: pause, else: end}
    - {id: pause, type: wait, seconds: 1, next: split}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        runs.house.run_to_the_end()
        assert runs.variables(run_id) == {"rounds": 3}
        assert (runs.state(run_id), runs.left_over(run_id)) == (RunState.COMPLETED, 0)


def test_a_run_whose_branches_wait_for_one_that_never_comes_has_failed(database_url: str) -> None:
    written = """
    steps:
    - {id: split, type: gateway, mode: parallel, next: [a, choose]}
    - {id: choose, type: gateway, condition: x, next: end, else: b}
    - {id: a, next: meet}
    - {id: b, next: meet}
    - {id: meet, type: gateway, mode: parallel, join: all, next: after}
    - {id: after}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(x=True)
        assert (runs.state(run_id), runs.error(run_id)) == (RunState.FAILED, "join_incomplete")


def test_branches_that_meet_at_once_as_a_run_begins_go_on(database_url: str) -> None:
    written = """
    steps:
    - {id: split, type: gateway, mode: parallel, next: [a, b]}
    - {id: a, type: pass, next: meet}
    - {id: b, type: pass, next: meet}
    - {id: meet, type: gateway, mode: parallel, join: all, next: after}
    - {id: after}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id)["after"] == ["done"]
        assert runs.state(run_id) is RunState.COMPLETED
