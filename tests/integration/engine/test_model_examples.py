"""Definitions in which one rule of the specification decides; each runs in the engine and in the reference."""

from collections.abc import Mapping

import pytest

from tests.support.engine.model_examples import BROKEN, Example, act, carry, meet, one, part, some
from tests.support.engine.model_runs import ModelHouse

INCIDENT = {"on_failure": "incident"}
FAULT = {"total": "${nothing}"}

EXAMPLES: Mapping[str, Example] = {
    "a run that begins and ends at once has completed": Example(
        [one("a", "set", set={"total": 1})], {"run": ["completed"], "a": ["done"]}
    ),
    "a run goes on behind a join that it comes to at once": Example(
        [part("p", "x", "y"), one("x", "pass", "j"), one("y", "pass", "j"), meet("j", "all", "a"), act("a")],
        {"run": ["completed"], "a": ["done"]},
    ),
    "an inclusive join that a run comes to at once is asked at once": Example(
        [
            some("s", x="yes", y="no"),
            one("x", "pass", "j"),
            act("y", "j"),
            meet("j", "all", "a", mode="inclusive"),
            act("a"),
        ],
        {"run": ["completed"], "a": ["done"]},
    ),
    "an end that terminates leaves no branch waiting": Example(
        [
            part("p", "x", "y"),
            one("x", "pass", "j"),
            act("y", "e"),
            one("e", "end", terminate=True),
            act("z", "j"),
            part("q", "p", "z"),
            meet("j"),
        ],
        {"run": ["completed"], "z": ["cancelled"], "j": []},
        order=["y"],
    ),
    "a scope in which branches wait in vain has failed": Example(
        [
            one(
                "s",
                "scope",
                "a",
                steps=[act("x", "j", on_error="y"), act("y"), act("z", "j"), meet("j")],
                on_error="h",
            ),
            act("a"),
            act("h"),
        ],
        {"run": ["completed"], "s": ["failed"], "h": ["done"], "a": []},
        failing={"x": BROKEN},
    ),
    "a scope that fails as a branch comes to a join has ended": Example(
        [
            one(
                "s",
                "scope",
                steps=[
                    part("p", "x", "y", "z"),
                    one("x", "set", set=FAULT),
                    one("y", "pass", "j"),
                    act("z", "j"),
                    meet("j"),
                ],
                on_error="h",
            ),
            act("h"),
        ],
        {"run": ["completed"], "s": ["failed"], "z": ["cancelled"], "h": ["done"]},
    ),
    "a person is asked about a failure that takes no time": Example(
        [act("a", "b"), one("b", "set", set=FAULT)],
        {"run": ["completed"], "b": ["failed"], "$incident": ["done"]},
        order=["a", "$incident=skip"],
        options=INCIDENT,
    ),
    "a person is asked about a failure of another code than is caught around": Example(
        [one("s", "scope", steps=[act("a")], on=[{"error": ["lost"], "next": "h"}]), act("h")],
        {"run": ["completed"], "s": ["done"], "$incident": ["done"], "h": []},
        failing={"a": BROKEN},
        order=["a", "$incident=skip"],
        options=INCIDENT,
    ),
    "nobody is asked about a failure that the workflow handles": Example(
        [one("s", "scope", steps=[act("a")]), act("h")],
        {"run": ["completed"], "s": ["failed"], "h": ["done"], "$incident": []},
        failing={"a": BROKEN},
        options={**INCIDENT, "on_error": "h"},
    ),
    "an inclusive join waits while a person is asked about a step that leads to it": Example(
        [
            some("s", x="yes", y="yes"),
            act("x", "j"),
            act("y", "j"),
            meet("j", "all", "a", mode="inclusive"),
            act("a"),
        ],
        {"run": ["completed"], "j": ["done"], "a": ["done"]},
        failing={"x": BROKEN},
        order=["x", "y", "$incident=skip"],
        options=INCIDENT,
    ),
    "an inclusive join waits for the branch of another that goes on now": Example(
        [
            some("s", a="yes", t="yes"),
            act("a", "outer"),
            some("t", b="yes", c="no"),
            act("b", "inner"),
            act("c", "inner"),
            meet("inner", "all", "d", mode="inclusive"),
            act("d", "outer"),
            meet("outer", "all", "z", mode="inclusive"),
            act("z"),
        ],
        {"run": ["completed"], "outer": ["done"], "z": ["done"]},
        order=["a", "b", "d"],
    ),
    "what is skipped is not repeated": Example(
        [act("a", "b", repeat={"while": "yes", "max": 3}), act("b")],
        {"run": ["completed"], "a": ["failed"], "b": ["done"]},
        failing={"a": BROKEN},
        order=["a", "$incident=skip"],
        options=INCIDENT,
    ),
    "a set step that fails has set nothing": Example(
        [one("a", "set", set={"top": 3, **FAULT})], {"run": ["failed"], "a": ["failed"]}
    ),
    "a loop saves once for each element": Example(
        [act("a", for_each={"in": [1, 2, 3]}, save={"total": "${n}"})], {"run": ["completed"]}
    ),
    "elements that take no time follow one another": Example(
        [
            one(
                "a",
                "scope",
                steps=[one("b", "set", set={"total": 1})],
                for_each={"in": [1, 2, 3, 4, 5], "limit": 2},
            )
        ],
        {"run": ["completed"], "b": ["done"] * 5},
    ),
    "no element begins once until holds": Example(
        [act("a", for_each={"in": [0, 1, 2, 3, 4], "limit": 2, "until": "index == 0"})],
        {"run": ["completed"], "a": ["done"] * 3},
    ),
    "a join that cancels does so when every flow has come, too": Example(
        [
            part("p", "x", "q"),
            act("x", "outer"),
            part("q", "y", "z"),
            act("y", "m"),
            act("z", "m"),
            one("m", "pass", "outer"),
            meet("outer", {"count": 2, "cancel": True}, "a"),
            act("a"),
        ],
        {"run": ["completed"], "z": ["cancelled"], "a": ["done"]},
        order=["x", "y", "a"],
    ),
    "a join that cancels forgets the branches that wait on the way to it": Example(
        [
            part("p", "x", "q"),
            act("x", "outer"),
            part("q", "y", "z"),
            act("y", "inner"),
            act("z", "inner"),
            meet("inner", "all", "outer"),
            meet("outer", {"count": 1, "cancel": True}, "a"),
            act("a"),
        ],
        {"run": ["completed"], "inner": [], "z": ["cancelled"], "a": ["done"]},
        order=["y", "x"],
    ),
    "a join that cancels does so with what is only now entered": Example(
        [
            part("p", "x", "y", "z"),
            act("x", "outer"),
            act("y", "inner"),
            one("now", "pass", "inner"),
            part("q", "p", "now"),
            meet("inner", "all", "late"),
            act("late", "outer"),
            act("z", "outer"),
            meet("outer", {"count": 2, "cancel": True}, "a"),
            act("a"),
        ],
        {"run": ["completed"], "late": ["cancelled"], "a": ["done"]},
        order=["x", "y z"],
    ),
    "what a step has saved stays, though another fails the run with it": Example(
        [part("p", "x", "y"), act("x", save={"total": 1}), act("y")],
        {"run": ["failed"], "x": ["done"], "y": ["failed"]},
        failing={"y": BROKEN},
        order=["x y"],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_rule_of_the_specification_holds(model: ModelHouse, name: str) -> None:
    assert carry(model, EXAMPLES[name]) == EXAMPLES[name].expected
