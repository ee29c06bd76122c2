"""Workflow patterns 9, 13, 14, 28 to 34, 37 and 38: how branches and elements come together."""

import pytest

from tests.support.engine.model_examples import Example, act, carry, meet, one, some
from tests.support.engine.model_runs import ModelHouse


def check(model: ModelHouse, example: Example) -> None:
    """Carry an example to its end; what must become of it has."""
    assert carry(model, example) == example.expected


def discriminator(join: object) -> list[dict[str, object]]:
    """Three branches of which some go on."""
    return [act("a", "b", "c", "d"), *(act(each, "j") for each in "bcd"), meet("j", join, "e"), act("e")]


@pytest.mark.parametrize(
    ("join", "last", "rest"),
    [
        pytest.param("any", "b", "done", id="09 structured discriminator"),
        pytest.param({"count": 1, "cancel": True}, "b", "cancelled", id="29 cancelling discriminator"),
        pytest.param({"count": 2}, "b c", "done", id="30 structured partial join"),
        pytest.param({"count": 2, "cancel": True}, "b c", "cancelled", id="32 cancelling partial join"),
    ],
)
def test_some_of_the_branches_go_on(model: ModelHouse, join: object, last: str, rest: str) -> None:
    expected = {"run": ["completed"], "e": ["done"], "d": [rest]}
    check(model, Example(discriminator(join), expected, order=["a", *last.split(), "e"]))


@pytest.mark.parametrize(
    ("join", "rounds"),
    [
        pytest.param("any", 2, id="28 blocking discriminator"),
        pytest.param({"count": 2}, 2, id="31 blocking partial join"),
    ],
)
def test_a_second_round_waits_until_the_first_is_over(model: ModelHouse, join: object, rounds: int) -> None:
    steps = [
        act("a", "p", "q"),
        one("p", "gateway", "b", "c", "d", mode="parallel"),
        act("q", "p"),
        *(act(each, "j") for each in "bcd"),
        meet("j", join, "e"),
        act("e"),
    ]
    expected = {"run": ["completed"], "j": ["done"] * rounds, "e": ["done"] * rounds, "b": ["done"] * 2}
    check(model, Example(steps, expected, order=["a", "q", "b", "b"]))


def test_33_generalized_and_join(model: ModelHouse) -> None:
    steps = [
        act("a", "b", "c"),
        act("b", "j"),
        act("c", "j"),
        meet("j", "all", "d"),
        one("d", "set", "x", set={"total": 1}),
        one("x", "gateway", {"if": "total < 2", "to": "again"}, {"to": "end"}),
        one("again", "gateway", "b", "c", mode="parallel"),
    ]
    check(model, Example(steps, {"run": ["completed"], "j": ["done"] * 2, "b": ["done"] * 2}))


def test_37_acyclic_synchronizing_merge(model: ModelHouse) -> None:
    steps = [
        some("x", b="yes", y="yes"),
        act("b", "j"),
        act("y", "z"),
        one("z", "gateway", {"if": "no", "to": "c"}, {"to": "end"}),
        act("c", "j"),
        meet("j", "all", "e", mode="inclusive"),
        act("e"),
    ]
    expected = {"run": ["completed"], "c": [], "j": ["done"], "e": ["done"]}
    check(model, Example(steps, expected, order=["b", "y"]))


def test_38_general_synchronizing_merge(model: ModelHouse) -> None:
    back = one("z", "gateway", {"if": "total < 2", "to": "y"}, {"to": "j"})
    steps = [
        some("x", b="yes", p="yes"),
        act("b", "j"),
        one("p", "pass", "y"),
        act("y", "count"),
        one("count", "set", "z", set={"total": 1}),
        back,
        meet("j", "all", "e", mode="inclusive"),
        act("e"),
    ]
    expected = {"run": ["completed"], "y": ["done"] * 2, "j": ["done"], "e": ["done"]}
    check(model, Example(steps, expected, order=["b", "y", "y"]))


def test_13_multiple_instances_known_in_the_definition(model: ModelHouse) -> None:
    steps = [act("a", "b", for_each={"in": [1, 2, 3]}), act("b")]
    check(model, Example(steps, {"run": ["completed"], "a": ["done"] * 4, "b": ["done"]}))


def test_14_multiple_instances_known_in_the_run(model: ModelHouse) -> None:
    found = one("l", "set", "a", set={"kinds": ["x", "y"]})
    steps = [found, act("a", "b", for_each={"in": "${kinds}"}), act("b")]
    check(model, Example(steps, {"run": ["completed"], "a": ["done"] * 3, "b": ["done"]}))


def test_34_static_partial_join_for_multiple_instances(model: ModelHouse) -> None:
    each = {"in": [1, 2, 3, 4, 5], "limit": 2, "until": "total >= 2"}
    steps = [act("a", "b", for_each=each, save={"total": 1}), act("b")]
    check(model, Example(steps, {"run": ["completed"], "a": ["done"] * 4, "b": ["done"]}))
