"""Steps with steps of their own: what ends in them, fails in them, breaks in upon them, and is undone."""

from collections.abc import Iterator
from textwrap import indent

import pytest

from engine.outcomes import Done, Failed, Outcome
from statemachine.workflow.states import RunState
from tests.support.engine.written_runs import WrittenRuns, returns

BROKEN = Failed(code="broken", message="it broke")


def test_a_scope_is_done_when_all_of_its_steps_are(database_url: str) -> None:
    written = """
    steps:
    - id: inner
      type: scope
      next: after
      steps: [{id: left}, {id: right, next: last}, {id: last}]
    - {id: after}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {name: ["done"] for name in ("inner", "left", "right", "last", "after")}
        assert runs.state(run_id) is RunState.COMPLETED
        assert runs.left_over(run_id) == 0


def test_a_failure_in_a_scope_cancels_the_rest_of_it_and_is_handled_around_it(database_url: str) -> None:
    written = """
    steps:
    - id: outer
      type: scope
      on: [{error: [broken], next: mend}]
      steps:
      - {id: slow, type: wait, seconds: 60}
      - id: inner
        type: scope
        steps: [{id: bad}, {id: other, type: wait, seconds: 60}]
    - {id: mend}
    """
    with WrittenRuns.of(database_url, written, bad=lambda _: BROKEN) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {
            "outer": ["failed"],
            "slow": ["cancelled"],
            "inner": ["failed"],
            "bad": ["failed"],
            "other": ["cancelled"],
            "mend": ["done"],
        }
        assert runs.state(run_id) is RunState.COMPLETED
        assert runs.left_over(run_id) == 0


def test_a_failure_that_no_scope_handles_fails_the_run(database_url: str) -> None:
    written = "steps: [{id: outer, type: scope, steps: [{id: bad}]}]"
    with WrittenRuns.of(database_url, written, bad=lambda _: BROKEN) as runs:
        run_id = runs.begin()
        assert (runs.state(run_id), runs.error(run_id)) == (RunState.FAILED, "broken")


def test_an_end_may_fail_its_scope(database_url: str) -> None:
    written = """
    steps:
    - {id: outer, type: scope, on: [{error: [refused], next: mend}], steps: [{id: stop, type: end, error: refused}]}
    - {id: mend}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id)["mend"] == ["done"]


def test_an_end_may_cancel_the_other_branches_of_its_scope(database_url: str) -> None:
    written = """
    steps:
    - id: outer
      type: scope
      next: after
      steps: [{id: slow, type: wait, seconds: 60}, {id: quick, next: stop}, {id: stop, type: end, terminate: true}]
    - {id: after}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id)["slow"] == ["cancelled"]
        assert runs.nodes(run_id)["after"] == ["done"]
        assert runs.state(run_id) is RunState.COMPLETED


def test_an_escalation_is_heard_around_the_scope_which_goes_on(database_url: str) -> None:
    written = """
    steps:
    - id: outer
      type: scope
      on: [{escalation: [late], interrupts: false, next: tell}]
      steps: [{id: report, type: end, escalation: late}, {id: work}]
    - {id: tell}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id) == {
            "outer": ["done"],
            "report": ["done"],
            "work": ["done"],
            "tell": ["done"],
        }


def test_what_breaks_in_upon_a_scope_cancels_what_is_in_it(database_url: str) -> None:
    written = """
    steps:
    - id: outer
      type: scope
      on: [{message: stop, key: "${order}", next: stopped}]
      next: after
      steps: [{id: slow, type: wait, seconds: 60}]
    - {id: stopped}
    - {id: after}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin(order="A")
        assert runs.message("stop", "B") == 0
        assert runs.message("stop", "A", {"why": "cancelled"}) == 1
        assert runs.nodes(run_id) == {"outer": ["cancelled"], "slow": ["cancelled"], "stopped": ["done"]}
        (given,) = runs.inputs(run_id, "stopped")
        assert given["event"]["payload"] == {"why": "cancelled"}
        assert runs.state(run_id) is RunState.COMPLETED
        assert runs.left_over(run_id) == 0


def test_done_steps_are_undone_the_last_one_first(database_url: str) -> None:
    written = """
    steps:
    - {id: book, compensate: unbook, next: pay}
    - {id: pay, compensate: unpay, next: bad}
    - {id: bad, on_error: undo}
    - {id: undo, type: compensate, next: told}
    - {id: told}
    - {id: unbook, parameters: {booking: "${steps.book.id}"}}
    - {id: unpay}
    """
    with WrittenRuns.of(
        database_url, written, book=returns(id=7), bad=lambda _: BROKEN, pay=returns(sum=3)
    ) as runs:
        run_id = runs.begin()
        assert runs.bench.worked == ["book", "pay", "bad", "unpay", "unbook", "told"]
        (given,) = runs.inputs(run_id, "unpay")
        assert given["output"] == {"sum": 3}
        (given,) = runs.inputs(run_id, "unbook")
        assert given["booking"] == 7
        assert runs.state(run_id) is RunState.COMPLETED
        assert runs.left_over(run_id) == 0


def test_a_step_is_undone_once(database_url: str) -> None:
    written = """
    steps:
    - {id: book, compensate: unbook, next: undo}
    - {id: undo, type: compensate, next: again}
    - {id: again, type: compensate}
    - {id: unbook}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        assert runs.nodes(run_id)["unbook"] == ["done"]
        assert runs.state(run_id) is RunState.COMPLETED


def test_a_run_that_is_cancelled_is_undone_where_it_says_so(database_url: str) -> None:
    written = """
    on_cancel: compensate
    steps:
    - {id: book, compensate: unbook, next: slow}
    - {id: slow, type: wait, seconds: 60}
    - {id: unbook}
    """
    with WrittenRuns.of(database_url, written) as runs:
        run_id = runs.begin()
        with runs.house.engine.transaction() as transaction:
            transaction.end([run_id], RunState.CANCELLED, agent_id="test", reason="nobody wants it")
        runs.house.run()
        assert runs.nodes(run_id)["unbook"] == ["done"]
        assert runs.nodes(run_id)["slow"] == ["cancelled"]
        assert runs.state(run_id) is RunState.CANCELLED


def test_a_failure_that_is_kept_is_decided_by_a_person(database_url: str) -> None:
    written = """
    on_failure: incident
    steps: [{id: bad, next: after}, {id: after}]
    """
    with WrittenRuns.of(database_url, written, bad=lambda _: BROKEN) as runs:
        first, second, third = runs.begin(), runs.begin(), runs.begin()
        runs.bench.answers["bad"] = lambda _: Done()
        runs.decide(first, "$incident", decision="retry")
        assert runs.nodes(first) == {"bad": ["failed", "done"], "$incident": ["done"], "after": ["done"]}
        runs.decide(second, "$incident", decision="skip", form={"output": {"by_hand": True}})
        assert runs.inputs(second, "after") == [{"by_hand": True}]
        runs.decide(third, "$incident", decision="fail")
        assert (runs.state(third), runs.error(third)) == (RunState.FAILED, "broken")


READING = """
- {id: after, parameters: {total: "${steps.bad.total}"}, next: last}
- {id: last, type: gateway, condition: "steps.bad.total > 20", next: yes, else: no}
- {id: yes, parameters: {total: "${steps.bad.total + 1}"}}
- {id: no}
"""
KEEPING = "on_failure: incident\nvariables: {total: 0}\nsteps:\n"


@pytest.mark.parametrize("around", ["", "- id: around\n  type: scope\n  steps:\n"])
@pytest.mark.parametrize(
    "bad",
    [
        "{id: bad, next: after}",
        "{id: bad, repeat: {while: 'true', max: 5}, next: after}",
        "{id: bad, type: set, set: {total: '${1 / 0}'}, next: after}",
        "{id: bad, for_each: {in: '${[1]}'}, next: after}",
    ],
)
def test_what_a_person_skips_has_the_output_that_was_given_for_all_that_comes_later(
    database_url: str, bad: str, around: str
) -> None:
    steps = f"- {bad}{READING}"
    written = KEEPING + around + (indent(steps, "  ") if around else steps)
    answers: Iterator[Outcome] = iter([Done(output={"total": 1}), BROKEN] if "repeat" in bad else [BROKEN])
    with WrittenRuns.of(database_url, written, bad=lambda _: next(answers)) as runs:
        run_id = runs.begin()
        runs.decide(run_id, "$incident", decision="skip", form={"output": {"total": 25}})
        assert runs.nodes(run_id)["bad"][-1] == "failed"
        assert runs.inputs(run_id, "after")[0]["total"] == 25
        assert runs.inputs(run_id, "yes")[0]["total"] == 26
        assert runs.state(run_id) is RunState.COMPLETED


def test_what_a_person_skips_without_an_output_came_to_nothing(database_url: str) -> None:
    with WrittenRuns.of(
        database_url, f"{KEEPING}- {{id: bad, next: last}}{READING}", bad=lambda _: BROKEN
    ) as runs:
        run_id = runs.begin()
        runs.decide(run_id, "$incident", decision="skip")
        assert runs.nodes(run_id)["no"] == ["done"]


def test_a_failed_run_is_tried_again_at_the_step_outside_of_all_scopes(database_url: str) -> None:
    written = """
    steps:
    - {id: each, for_each: {in: "${[1, 2]}"}, next: after}
    - {id: after}
    """
    with WrittenRuns.of(database_url, written, each=lambda _: BROKEN) as runs:
        run_id = runs.begin()
        assert runs.state(run_id) is RunState.FAILED
        runs.bench.answers["each"] = lambda _: Done()
        with runs.house.engine.transaction() as transaction:
            assert transaction.retry([run_id]) == [run_id]
        runs.house.run()
        assert runs.nodes(run_id)["after"] == ["done"]
        assert runs.state(run_id) is RunState.COMPLETED
