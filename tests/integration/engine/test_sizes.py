"""How large outputs and variables may be: too much fails the step that brings it, and nobody beside it."""

from decimal import Decimal
from typing import Any

import pytest

from engine.triggers.dispatch import InboxDispatcher
from statemachine.workflow.options.sizes import LARGEST_OUTPUT, LARGEST_STATE
from statemachine.workflow.options.triggers import TriggerKind
from statemachine.workflow.states import RunState
from storage.engine.triggers.inbox import Inbox, NewInboxEntry
from tests.support.engine.written_runs import WrittenRuns, returns
from tests.support.probe import Probe

WORDS = "字" * (LARGEST_OUTPUT // 3)
"""As JSON two quotes more than may be returned."""
AROUND = len('{"text":""}')
QUARTER = "x" * (LARGEST_OUTPUT - 100)


def why(runs: WrittenRuns, run_id: str, node: str = "mend") -> dict[str, Any]:
    """The error that a step is given which handles it."""
    (given,) = runs.inputs(run_id, node)
    error: dict[str, Any] = given["error"]
    return error


def test_work_that_returns_too_much_has_failed_alone_and_is_told_the_bound(database_url: str) -> None:
    written = """
    steps:
    - {id: large, on_error: mend, next: mend}
    - {id: small}
    - {id: mend}
    """
    answers = {"large": returns(text=WORDS), "small": returns(text="字"), "mend": returns()}
    with WrittenRuns.of(database_url, written, **answers) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {"large": ["failed"], "small": ["done"], "mend": ["done"]}
        error = why(runs, run_id)
        assert error["code"] == "invalid_output"
        assert f"{LARGEST_OUTPUT:,}" in error["message"]
        assert f"{len(WORDS) * 3 + AROUND:,}" in error["message"]
        assert "artifact_ref" in error["message"]
        assert runs.bench.worked.count("large") == 1


def test_work_that_returns_as_much_as_it_may_is_done(database_url: str) -> None:
    text = "x" * (LARGEST_OUTPUT - AROUND)
    with WrittenRuns.of(database_url, "steps: [{id: large}]", large=returns(text=text)) as runs:
        assert runs.state(runs.begin()) is RunState.COMPLETED


@pytest.mark.parametrize("written", ["set: {all: '${text}'}", "set: {all: '${[text, text]}'}"])
def test_a_set_step_that_writes_too_much_has_failed_and_writes_nothing(
    database_url: str, written: str
) -> None:
    steps = f"""
    variables: {{all: null}}
    steps:
    - {{id: note, type: set, {written}, on_error: mend}}
    - {{id: mend}}
    """
    with WrittenRuns.of(database_url, steps, mend=returns()) as runs:
        run_id = runs.begin(text=WORDS)
        assert runs.nodes(run_id) == {"note": ["failed"], "mend": ["done"]}
        assert runs.variables(run_id) == {}


def test_what_is_saved_is_bounded_together_and_the_step_that_goes_beyond_has_failed(
    database_url: str,
) -> None:
    names = [f"v{n}" for n in range(5)]
    steps = "\n".join(
        f"- {{id: s{n}, save: {{v{n}: '${{text}}'}}, next: {f's{n + 1}' if n < 4 else 'end'}}}"
        for n in range(5)
    )
    variables = ", ".join(f"{name}: null" for name in names)
    written = f"on_error: mend\nvariables: {{{variables}}}\nsteps:\n{steps}\n- {{id: mend}}"
    answers = {f"s{n}": returns(text=QUARTER) for n in range(5)} | {"mend": returns()}
    with WrittenRuns.of(database_url, written, **answers) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {f"s{n}": ["done"] for n in range(4)} | {
            "s4": ["failed"],
            "mend": ["done"],
        }
        assert sorted(runs.variables(run_id)) == names[:4]
        error = why(runs, run_id)
        assert error["code"] == "invalid_variable"
        assert f"{LARGEST_STATE:,}" in error["message"]
        assert "artifact_ref" in error["message"]


def test_a_list_to_which_a_loop_appends_grows_no_further_than_variables_may(database_url: str) -> None:
    written = """
    variables: {all: {default: [], merge: append}}
    steps:
    - id: each
      for_each: {in: "${parameters.numbers}", on_item_error: collect, collect: "${n}"}
      save: {all: "${text}"}
    """
    with WrittenRuns.of(database_url, written, each=returns(text="x" * 100_000, n=1)) as runs:
        run_id = runs.begin(numbers=list(range(12)))
        assert runs.state(run_id) is RunState.COMPLETED
        assert len(runs.variables(run_id)["all"]) == 10
        assert sorted(runs.nodes(run_id)["each"]).count("failed") == 2


def test_a_called_run_that_comes_to_too_much_has_failed_and_so_has_the_step_that_began_it(
    database_url: str,
) -> None:
    called = """
    workflow: called
    version: "1"
    output: {text: "${text}"}
    steps: [{id: work}]
    """
    written = """
    steps:
    - {id: call, type: workflow, workflow: called, parameters: {text: "${text}"}, on_error: mend, next: done}
    - {id: done}
    - {id: mend}
    """
    with WrittenRuns.of(database_url, written, called, work=returns(), mend=returns()) as runs:
        too_much = runs.begin(text=WORDS)
        assert runs.nodes(too_much) == {"call": ["failed"], "mend": ["done"]}
        assert why(runs, too_much)["code"] == "invalid_output"
        fits = runs.begin(text="x" * (LARGEST_OUTPUT - AROUND))
        assert runs.nodes(fits)["call"] == ["done"]


def test_a_message_that_carries_as_much_as_it_may_ends_the_wait(database_url: str) -> None:
    written = "steps: [{id: paid, type: wait, events: [{message: paid, key: '${order}', next: end}]}]"
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(order="k" * 256)
        entry = NewInboxEntry(
            kind=TriggerKind.MESSAGE, name="paid", key="k" * 256, payload="x" * (LARGEST_OUTPUT - 2)
        )
        with runs.house.database.transaction() as work:
            added = [each.entry_id for each in Inbox(work).add([entry])]
        InboxDispatcher(runs.house.engine).at_once(added)
        assert runs.state(run_id) is RunState.COMPLETED


def test_what_is_sent_is_bounded_and_the_step_that_sends_it_has_failed(database_url: str) -> None:
    written = """
    steps:
    - {id: work, next: send}
    - id: send
      type: emit
      message: paid
      key: A
      payload: "${parameters.text}"
      on_error: mend
    - {id: mend}
    """
    with WrittenRuns.of(database_url, written, work=returns(), mend=returns()) as runs:
        run_id = runs.begin(text=WORDS)
        assert runs.nodes(run_id) == {"work": ["done"], "send": ["failed"], "mend": ["done"]}
        assert Probe(runs.house.database).value("SELECT count(*) FROM inbox") == 0


def test_the_end_of_a_run_that_came_to_as_much_as_it_may_begins_another(database_url: str) -> None:
    after = """
    workflow: after
    version: "1"
    triggers: [{run_ended: {workflow: tried}, parameters: {of: "${event.workflow}"}}]
    steps: [{id: last}]
    """
    written = 'output: "${parameters.text}"\nsteps: [{id: work}]'
    with WrittenRuns.of(database_url, written, after, work=returns()) as runs:
        run_id = runs.begin(text="x" * (LARGEST_OUTPUT - 2))
        assert runs.state(run_id) is RunState.COMPLETED
        assert "last" in runs.bench.worked


def test_what_a_step_returns_is_turned_into_json_once(database_url: str) -> None:
    turned: list[Decimal] = []

    class Counted(Decimal):
        def __float__(self) -> float:
            turned.append(self)
            return super().__float__()

    with WrittenRuns.of(database_url, "steps: [{id: only}]", only=returns(n=Counted("1.5"))) as runs:
        run_id = runs.begin()
        assert runs.output(run_id, "only") == {"n": 1.5}
    assert len(turned) == 1
