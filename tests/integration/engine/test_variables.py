"""Variables of runs: set, saved, merged, typed; each value that is written has a row."""

import pytest

from engine.outcomes import Done
from statemachine.workflow.states import RunState
from storage.engine.flow.variables import WrittenVariables
from tests.support.engine.written_runs import WrittenRuns, returns


def test_a_set_step_writes_variables_that_later_conditions_and_parameters_see(database_url: str) -> None:
    written = """
    variables: {total: {type: number, default: 0}}
    steps:
    - {id: sum, type: set, set: {total: "${sum([i.price * i.qty for i in items])}"}, next: enough}
    - {id: enough, type: gateway, condition: total > 10, next: pay, else: end}
    - {id: pay, parameters: {amount: "${total}", note: "pay ${total} now"}}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(items=[{"price": 5, "qty": 2}, {"price": 2, "qty": 1}])
        assert runs.variables(run_id) == {"total": 12}
        (given,) = runs.inputs(run_id, "pay")
        assert (given["amount"], given["note"]) == (12, "pay 12 now")
        assert runs.state(run_id) is RunState.COMPLETED


def test_what_a_step_returned_is_read_by_its_name_long_after(database_url: str) -> None:
    written = """
    steps:
    - {id: ask, next: think}
    - {id: think, next: tell}
    - {id: tell, parameters: {said: "${steps.ask.words[0]}", run: "${run.workflow}"}}
    """
    with WrittenRuns.of(database_url, written, ask=returns(words=["yes"])) as runs:
        run_id = runs.begin()
        (given,) = runs.inputs(run_id, "tell")
        assert (given["said"], given["run"]) == ("yes", "tried")


def test_every_value_that_is_written_has_a_row_with_the_step_that_wrote_it(database_url: str) -> None:
    written = """
    variables: {last: null}
    steps:
    - {id: first, save: {last: "${n}"}, next: second}
    - {id: second, save: {last: "${n}"}}
    """
    with WrittenRuns.of(database_url, written, first=returns(n=1), second=returns(n=2)) as runs:
        run_id = runs.begin()
        with runs.house.database.transaction() as work:
            history = WrittenVariables(work).history(run_id, 10)
        assert [(each["name"], each["value"], each["node"]) for each in history] == [
            ("last", 1, "first"),
            ("last", 2, "second"),
        ]


@pytest.mark.parametrize(
    ("merge", "default", "held"),
    [
        ("append", [], [1, 2]),
        ("union", [2], [2, 1]),
        ("sum", 0, 3),
        ("max", 0, 2),
        ("min", 9, 1),
    ],
)
def test_parallel_branches_share_a_variable_as_it_says(
    database_url: str, merge: str, default: object, held: object
) -> None:
    written = f"""
    variables: {{seen: {{default: {default}, merge: {merge}}}}}
    steps:
    - {{id: left, save: {{seen: "${{n}}"}}}}
    - {{id: right, save: {{seen: "${{n}}"}}}}
    """
    with WrittenRuns.of(database_url, written, left=returns(n=1), right=returns(n=2)) as runs:
        run_id = runs.begin()
        assert runs.variables(run_id) == {"seen": held}


def test_a_value_that_a_variable_may_not_hold_fails_the_step_that_writes_it(database_url: str) -> None:
    written = """
    variables: {total: {type: integer}}
    steps:
    - {id: count, save: {total: "${n}"}, on_error: mend}
    - {id: mend}
    """
    with WrittenRuns.of(database_url, written, count=lambda _: Done(output={"n": "many"})) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {"count": ["failed"], "mend": ["done"]}
        (given,) = runs.inputs(run_id, "mend")
        assert given["error"]["code"] == "invalid_variable"
        assert "many" not in given["error"]["message"]


def test_an_unknown_name_in_a_parameter_fails_the_step_with_the_nearest_name(database_url: str) -> None:
    with WrittenRuns.of(database_url, 'steps: [{id: pay, parameters: {sum: "${totl}"}}]') as runs:
        run_id = runs.begin(total=1)
        assert (runs.state(run_id), runs.error(run_id)) == (RunState.FAILED, "expression")


def test_a_run_comes_to_what_its_definition_says(database_url: str) -> None:
    written = """
    variables: {total: 0}
    output: {sum: "${total}"}
    steps: [{id: count, save: {total: "${n}"}}]
    """
    with WrittenRuns.of(database_url, written, count=returns(n=7)) as runs:
        run_id = runs.begin()
        with runs.house.database.transaction() as work:
            output = work.connection.exec_driver_sql("SELECT output FROM runs WHERE run_id = %s", (run_id,))
            assert output.scalar_one() == {"sum": 7}
