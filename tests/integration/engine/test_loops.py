"""Steps done several times: for each element of a list, or while something holds."""

import pytest

from engine.outcomes import Done, Failed, Outcome
from statemachine.workflow.states import RunState
from storage.engine.steps import StepRow
from tests.support.engine.written_runs import WrittenRuns, returns


def doubled(step: StepRow) -> Outcome:
    return Done(output={"n": step.input["n"] * 2})


@pytest.mark.parametrize("mode", ["mode: parallel, limit: 2", "mode: parallel", "mode: sequential"])
def test_each_element_is_worked_on_once_and_the_outputs_stand_in_the_order_of_the_list(
    database_url: str, mode: str
) -> None:
    written = f"""
    steps:
    - {{id: each, for_each: {{in: "${{numbers}}", as: number, {mode}}}, parameters: {{n: "${{number}}"}}, next: after}}
    - {{id: after}}
    """
    with WrittenRuns.of(database_url, written, each=doubled) as runs:
        run_id = runs.begin(numbers=[3, 1, 2, 5, 4])
        assert runs.inputs(run_id, "after") == [{"items": [{"n": n} for n in (6, 2, 4, 10, 8)]}]
        assert runs.nodes(run_id)["each"] == ["done"] * 6
        assert runs.state(run_id) is RunState.COMPLETED
        assert runs.left_over(run_id) == 0


def test_no_more_elements_are_open_than_the_limit_allows(database_url: str) -> None:
    written = """
    steps:
    - {id: each, type: wait, seconds: 60, for_each: {in: "${numbers}", limit: 2}}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(numbers=[1, 2, 3, 4, 5])
        opened = []
        while runs.state(run_id) is RunState.RUNNING:
            opened.append(runs.nodes(run_id)["each"].count("scheduled"))
            runs.pass_time(61)
        assert opened == [2, 2, 1]


def test_an_empty_list_is_done_at_once(database_url: str) -> None:
    with WrittenRuns.of(
        database_url, 'steps: [{id: each, for_each: {in: "${[]}"}, next: after}, {id: after}]'
    ) as runs:
        run_id = runs.begin()
        assert runs.inputs(run_id, "after") == [{"items": []}]
        assert runs.state(run_id) is RunState.COMPLETED


def test_an_element_that_fails_fails_the_step_and_cancels_the_others(database_url: str) -> None:
    written = """
    steps:
    - {id: each, for_each: {in: "${[1, 2, 3]}", mode: sequential}, on_error: mend}
    - {id: mend}
    """
    answers: dict[int, Outcome] = {0: Done(), 1: Failed(code="broken", message="two"), 2: Done()}
    with WrittenRuns.of(database_url, written, each=lambda step: answers[step.element or 0]) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {"each": ["failed", "done", "failed"], "mend": ["done"]}
        (given,) = runs.inputs(run_id, "mend")
        assert given["error"]["code"] == "broken"
        assert runs.left_over(run_id) == 0


def test_failures_of_elements_are_collected_where_it_says_so(database_url: str) -> None:
    written = """
    steps:
    - {id: each, for_each: {in: "${[1, 2]}", on_item_error: collect}, next: after}
    - {id: after}
    """

    def second_fails(step: StepRow) -> Outcome:
        return Failed(code="broken", message="two") if step.element else Done(output={"ok": True})

    with WrittenRuns.of(database_url, written, each=second_fails) as runs:
        run_id = runs.begin()
        (given,) = runs.inputs(run_id, "after")
        assert given == {"items": [{"ok": True}, {"error": {"code": "broken", "message": "two"}}]}


@pytest.mark.parametrize("mode", ["mode: parallel", "mode: parallel, limit: 2", "mode: sequential"])
@pytest.mark.parametrize("numbers", [[5, 0, 2, 0, 0, 0, 1], [0] * 7, [0, 0, 0, 10]])
def test_a_fault_in_the_parameters_of_an_element_is_collected_like_its_failure(
    database_url: str, mode: str, numbers: list[int]
) -> None:
    written = f"""
    steps:
    - id: each
      for_each: {{in: "${{numbers}}", {mode}, on_item_error: collect}}
      parameters: {{n: "${{10 / item}}"}}
      next: after
    - {{id: after}}
    """
    with WrittenRuns.of(database_url, written, each=doubled) as runs:
        run_id = runs.begin(numbers=numbers)
        (given,) = runs.inputs(run_id, "after")
        found = [each["error"]["code"] if "error" in each else each["n"] for each in given["items"]]
        assert found == [20 / n if n else "expression" for n in numbers]
        assert sorted(runs.nodes(run_id)["each"]) == sorted(
            ["done", *("done" if n else "failed" for n in numbers)]
        )
        assert {"item": 0, "index": numbers.index(0)} in runs.inputs(run_id, "each")
        assert runs.state(run_id) is RunState.COMPLETED
        assert runs.left_over(run_id) == 0


def test_elements_that_wait_take_up_the_limit_and_those_whose_time_cannot_be_read_do_not(
    database_url: str,
) -> None:
    written = """
    steps:
    - id: each
      type: wait
      until: "${item}"
      for_each: {in: "${times}", limit: 2, on_item_error: collect}
      next: after
    - {id: after}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(times=["PT1M", "soon", "later", "PT1M", "PT1M", "never"])
        opened = []
        while runs.state(run_id) is RunState.RUNNING:
            opened.append(runs.nodes(run_id)["each"].count("scheduled"))
            runs.pass_time(61)
        assert opened == [2, 1]
        (given,) = runs.inputs(run_id, "after")
        assert [each.get("error", {}).get("code") for each in given["items"]] == [
            None, "invalid_input", "invalid_input", None, None, "invalid_input",
        ]  # fmt: skip


def test_a_fault_in_the_parameters_of_an_element_fails_the_step_as_its_failure_does(
    database_url: str,
) -> None:
    written = """
    steps:
    - {id: each, for_each: {in: "${[1, 2, 0, 4]}", limit: 3}, parameters: {n: "${10 / item}"}, on_error: mend}
    - {id: mend}
    """
    with WrittenRuns.of(database_url, written, each=doubled) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {
            "each": ["failed", "cancelled", "cancelled", "failed"],
            "mend": ["done"],
        }
        assert runs.bench.worked == ["mend"]
        (given,) = runs.inputs(run_id, "mend")
        assert (given["origin"], given["error"]["code"]) == ("each", "expression")
        assert runs.left_over(run_id) == 0


def test_no_further_element_is_begun_once_until_holds(database_url: str) -> None:
    written = """
    variables: {found: null}
    steps:
    - id: each
      for_each: {in: "${numbers}", mode: sequential, until: "n > 3"}
      save: {found: "${item}"}
      parameters: {n: "${item}"}
    """
    with WrittenRuns.of(database_url, written, each=doubled) as runs:
        run_id = runs.begin(numbers=[1, 2, 3, 4])
        assert runs.nodes(run_id)["each"] == ["done"] * 3
        assert runs.variables(run_id) == {"found": 2}


def test_what_each_element_contributes_is_calculated(database_url: str) -> None:
    written = """
    steps:
    - {id: each, for_each: {in: "${[1, 2]}", collect: "${n + index}"}, parameters: {n: "${item}"}, next: after}
    - {id: after}
    """
    with WrittenRuns.of(database_url, written, each=doubled) as runs:
        run_id = runs.begin()
        assert runs.inputs(run_id, "after") == [{"items": [2, 5]}]


def test_a_scope_is_done_for_each_element_with_its_own_steps(database_url: str) -> None:
    written = """
    variables: {names: {default: [], merge: append}}
    steps:
    - id: each
      type: scope
      for_each: {in: "${people}", as: person}
      next: after
      steps:
      - {id: greet, parameters: {who: "${person.name}"}, next: note}
      - {id: note, type: set, set: {names: "${steps.greet.said + text(index)}"}}
    - {id: after}
    """
    with WrittenRuns.of(
        database_url, written, greet=lambda step: Done(output={"said": f"hello {step.input['who']}"})
    ) as runs:
        run_id = runs.begin(people=[{"name": "a"}, {"name": "b"}])
        assert sorted(runs.variables(run_id)["names"]) == ["hello a0", "hello b1"]
        assert runs.nodes(run_id)["after"] == ["done"]
        assert runs.state(run_id) is RunState.COMPLETED
        assert runs.left_over(run_id) == 0


def test_a_step_is_repeated_while_its_condition_holds(database_url: str) -> None:
    written = """
    steps:
    - {id: poll, repeat: {while: "not ready", max: 5}, next: after}
    - {id: after}
    """
    with WrittenRuns.of(
        database_url, written, poll=lambda step: Done(output={"ready": step.element == 2})
    ) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {"poll": ["done"] * 3, "after": ["done"]}
        assert runs.inputs(run_id, "after") == [{"ready": True}]


def test_a_repetition_ends_at_its_bound(database_url: str) -> None:
    with WrittenRuns.of(database_url, 'steps: [{id: poll, repeat: {while: "true", max: 4}}]') as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {"poll": ["done"] * 4}
        assert runs.state(run_id) is RunState.COMPLETED


def test_a_scope_is_repeated_with_all_of_its_steps(database_url: str) -> None:
    written = """
    variables: {count: {default: 0, merge: sum}}
    steps:
    - id: rounds
      type: scope
      repeat: {while: "count < 3", max: 10}
      next: after
      steps:
      - {id: work, save: {count: "${n}"}}
    - {id: after}
    """
    with WrittenRuns.of(database_url, written, work=returns(n=1)) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {"rounds": ["done"] * 3, "work": ["done"] * 3, "after": ["done"]}
        assert runs.variables(run_id) == {"count": 3}


@pytest.mark.parametrize("elements", [300, 3_000])
def test_a_wide_fan_out_reads_its_outputs_once(database_url: str, elements: int) -> None:
    written = """
    steps:
    - {id: each, for_each: {in: "${numbers}", limit: 10000}, parameters: {n: "${item}"}, next: after}
    - {id: after}
    """
    with WrittenRuns.of(database_url, written, each=doubled) as runs:
        run_id = runs.begin(numbers=list(range(elements)))
        (given,) = runs.inputs(run_id, "after")
        assert [each["n"] for each in given["items"]] == [2 * n for n in range(elements)]
