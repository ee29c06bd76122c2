"""What follows what: gateways, decisions, joins, parallel branches, failures."""

from collections.abc import Mapping

import pytest

from statemachine.workflow.definition import Workflow
from statemachine.workflow.plan import Failing, Plan
from statemachine.workflow.planner import UnknownDecision, after_failure, begin
from statemachine.workflow.values import RunValues
from tests.support.workflow import interpreter
from tests.support.workflow.definitions import action, gateway, human, workflow

PICTURE = {"picture": "https://example.com/1"}
ERROR = {"code": "tool_failed", "message": "the order system does not answer"}


def entered(plan: Plan | None) -> dict[str, Mapping[str, object]]:
    assert plan is not None
    assert len({one.step.id for one in plan.entered}) == len(plan.entered)
    return {one.step.id: one.input for one in plan.entered}


def passed(plan: Plan) -> list[tuple[str, bool]]:
    return [(one.step.id, bool(one.output["held"])) for one in plan.passed if not isinstance(one, Failing)]


def succeed(
    built: Workflow, node: str, output: Mapping[str, object] | None = None, **more: Mapping[str, object]
) -> Plan:
    return interpreter.succeed(
        built,
        node,
        given=more.get("given", {}),
        output=output or {},
        values=RunValues(parameters=more.get("variables", {})),
        outputs={**more.get("outputs", {}), node: output or {}},
    )


def test_a_run_begins_with_every_first_step_and_its_variables() -> None:
    built = workflow(action("a"), action("b"), variables={"limit": 1})
    assert entered(begin(built, RunValues(parameters=PICTURE))) == {"a": PICTURE, "b": PICTURE}


def test_a_gateway_that_comes_first_sees_the_runs_variables_before_the_definitions() -> None:
    built = workflow(gateway("g", "limit > 1", "a", "b"), action("a"), action("b"), variables={"limit": 1})
    assert entered(begin(built, RunValues(parameters={}))).keys() == {"b"}
    assert entered(begin(built, RunValues(parameters={"limit": 2}))).keys() == {"a"}


def test_what_follows_gets_the_output_as_its_input() -> None:
    built = workflow(action("a", "b"), action("b"))
    assert entered(succeed(built, "a", PICTURE)) == {"b": PICTURE}


def test_nothing_follows_a_last_step_or_the_end() -> None:
    built = workflow(action("a", "b"), action("b", "end"), action("c"))
    assert succeed(built, "b") == succeed(built, "c") == Plan()


def test_several_targets_open_parallel_branches() -> None:
    built = workflow(action("a", "b", "c"), action("b"), action("c"))
    assert entered(succeed(built, "a", PICTURE)) == {"b": PICTURE, "c": PICTURE}


@pytest.mark.parametrize(
    ("output", "way", "goal"),
    [
        ({"ok": True, "total": 5}, [("g", True), ("f", True)], {"b"}),
        ({"ok": True, "total": 1}, [("g", True), ("f", False)], {"c", "d"}),
        ({"ok": False}, [("g", False)], set()),
    ],
)
def test_a_chain_of_gateways_is_passed_at_once(
    output: dict[str, object], way: list[tuple[str, bool]], goal: set[str]
) -> None:
    built = workflow(
        action("a", "g"),
        gateway("g", "ok", "f", "end"),
        gateway("f", "total > limit", "b", "c d"),
        *map(action, "bcd"),
        variables={"limit": 2},
    )
    plan = succeed(built, "a", output)
    assert passed(plan) == way
    assert entered(plan) == dict.fromkeys(goal, output)


def test_a_gateway_sees_the_output_before_the_runs_variables_before_the_definitions() -> None:
    built = workflow(
        action("a", "g"), gateway("g", "x == 1", "b", "end"), action("b"), variables={"x": 3, "y": 3}
    )
    assert entered(succeed(built, "a", {"x": 1}, variables={"x": 2}))
    assert not entered(succeed(built, "a", {"x": 2}, variables={"x": 1}))
    assert entered(succeed(built, "a", {}, variables={"x": 1}))
    assert not entered(succeed(built, "a"))


def test_a_decision_leads_where_it_says_with_the_answer_as_input() -> None:
    built = workflow(human("h", go="a", stop="end"), action("a"))
    answer = {"decision": "go", "reason": "客户同意"}
    assert entered(succeed(built, "h", answer)) == {"a": answer}
    assert succeed(built, "h", {"decision": "stop"}) == Plan()


@pytest.mark.parametrize("output", [{}, {"decision": "fly"}, {"decision": None}, {"decision": ["go"]}])
def test_an_unknown_decision_is_refused_with_what_is_offered(output: dict[str, object]) -> None:
    built = workflow(human("h", stop="end", go="end"))
    with pytest.raises(UnknownDecision, match="not a decision of h; it offers go, stop"):
        succeed(built, "h", output)


def test_the_origin_runs_again_with_the_input_it_had() -> None:
    built = workflow(action("a", on_error="h"), human("h", again="$origin"))
    failure = after_failure(built, "a", given=PICTURE, error=ERROR, values=RunValues())
    asked = entered(failure)["h"]
    assert asked == {"origin": "a", "origin_input": PICTURE, "error": ERROR}
    assert entered(succeed(built, "h", {"decision": "again"}, given=asked)) == {"a": PICTURE}


def test_the_origin_is_no_decision_where_nothing_failed() -> None:
    built = workflow(action("a", "h"), human("h", again="$origin", stop="end"))
    with pytest.raises(UnknownDecision, match=r"'again' is not a decision of h; it offers stop$"):
        succeed(built, "h", {"decision": "again"})


def test_a_steps_own_on_error_comes_before_the_workflows() -> None:
    built = workflow(
        action("a", on_error="mend"), action("b"), action("mend"), human("h", stop="end"), on_error="h"
    )
    assert entered(after_failure(built, "a", given={}, error=ERROR, values=RunValues())).keys() == {"mend"}
    assert entered(after_failure(built, "b", given={}, error=ERROR, values=RunValues())).keys() == {"h"}


def test_a_failure_nobody_catches_fails_the_run() -> None:
    assert after_failure(workflow(action("a")), "a", given={}, error=ERROR, values=RunValues()) is None


def test_a_step_does_not_catch_its_own_failure() -> None:
    built = workflow(action("a"), human("h", stop="end"), on_error="h")
    assert after_failure(built, "h", given={}, error=ERROR, values=RunValues()) is None


def test_a_failure_may_just_end_its_branch() -> None:
    assert (
        after_failure(workflow(action("a", on_error="end")), "a", given={}, error=ERROR, values=RunValues())
        == Plan()
    )


def test_a_gateway_may_sort_failures() -> None:
    built = workflow(
        action("a", on_error="g"),
        gateway("g", "error.code == 'tool_failed'", "b", "end"),
        action("b"),
        variables={"error": "none"},
    )
    assert entered(after_failure(built, "a", given={}, error=ERROR, values=RunValues())).keys() == {"b"}
    assert not entered(after_failure(built, "a", given={}, error={"code": "other"}, values=RunValues()))


JOINED = workflow(
    action("a", "b", "c"),
    action("b", "d"),
    action("c"),
    action("d"),
    action("j", needs=("c", "d")),
)


def test_a_join_waits_until_everything_it_needs_is_done() -> None:
    assert entered(succeed(JOINED, "c", {"n": 1}, outputs={"a": {}, "b": {}})) == {}
    assert entered(succeed(JOINED, "b", outputs={"a": {}, "c": {"n": 1}})) == {"d": {}}


@pytest.mark.parametrize(("last", "first"), [("c", "d"), ("d", "c")])
def test_a_join_gets_what_each_of_its_needs_returned_whichever_came_last(last: str, first: str) -> None:
    plan = succeed(JOINED, last, {"from": last}, outputs={"a": {}, "b": {}, first: {"from": first}})
    assert entered(plan) == {"j": {"needs": {"c": {"from": "c"}, "d": {"from": "d"}}}}


def test_a_join_looks_at_its_own_needs_only() -> None:
    built = workflow(action("a"), action("b"), action("j", needs=("a",)), action("k", needs=("a", "b")))
    assert entered(succeed(built, "a", {"n": 1})) == {"j": {"needs": {"a": {"n": 1}}}}
    assert entered(succeed(built, "b", {"n": 2}, outputs={"a": {"n": 1}})) == {
        "k": {"needs": {"a": {"n": 1}, "b": {"n": 2}}}
    }


@pytest.mark.parametrize(("last", "first"), [("left", "right"), ("right", "left")])
def test_a_gateway_that_joins_decides_by_its_needs_names_whichever_came_last(last: str, first: str) -> None:
    built = workflow(
        action("left"),
        action("right"),
        gateway("g", "left.total > right.total and total == null", "a", "b", needs=("left", "right")),
        action("a"),
        action("b"),
    )
    totals: dict[str, Mapping[str, object]] = {"left": {"total": 2}, "right": {"total": 1}}
    plan = succeed(built, last, totals[last], outputs={first: totals[first]})
    assert passed(plan) == [("g", True)]
    assert entered(plan) == {"a": {"needs": totals}}


def stopped(plan: Plan) -> list[str]:
    return [one.step.id for one in plan.passed if isinstance(one, Failing)]


def test_a_gateway_without_a_value_leads_where_its_failure_is_handled() -> None:
    built = workflow(
        action("a", "g"),
        gateway("g", "total / count > 1", "b", "end"),
        action("b"),
        action("mend"),
        on_error="mend",
    )
    assert passed(succeed(built, "a", {"total": 4, "count": 2})) == [("g", True)]
    plan = succeed(built, "a", {"total": 4, "count": 0})
    assert (stopped(plan), passed(plan), plan.error) == (["g"], [], None)
    error = {"code": "expression", "message": "division by zero, in 'total / count > 1' at column 9"}
    given = {"origin": "g", "origin_input": {"total": 4, "count": 0}, "error": error}
    assert entered(plan) == {"mend": given}


def test_a_gateway_without_a_value_that_nobody_handles_fails_the_run() -> None:
    built = workflow(gateway("g", "1 / count > 1", "b", "end"), action("b"))
    plan = begin(built, RunValues(parameters={"count": 0}))
    assert (stopped(plan), entered(plan)) == (["g"], {})
    assert plan.error == {
        "code": "expression",
        "message": "division by zero, in '1 / count > 1' at column 5",
        "step": "g",
    }


def test_gateways_without_a_value_may_lead_to_one_another_and_then_to_an_end() -> None:
    built = workflow(
        action("a", "g"),
        gateway("g", "1 / 0", "b", "end", on_error="h"),
        gateway("h", "1 % 0", "b", "end"),
        action("b"),
        human("ask", stop="end"),
        on_error="ask",
    )
    plan = succeed(built, "a")
    assert (stopped(plan), list(entered(plan)), plan.error) == (["g", "h"], ["ask"], None)
    assert entered(plan)["ask"]["origin"] == "h"
