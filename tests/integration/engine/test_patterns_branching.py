"""Workflow patterns 1 to 11, 21 and 43: what leads where."""

from tests.support.engine.model_examples import Example, act, carry, meet, one, some
from tests.support.engine.model_runs import ModelHouse


def check(model: ModelHouse, example: Example) -> None:
    """Carry an example to its end; what must become of it has."""
    assert carry(model, example) == example.expected


def test_01_sequence(model: ModelHouse) -> None:
    check(model, Example([act("a", "b"), act("b")], {"run": ["completed"], "a": ["done"], "b": ["done"]}))


def test_02_parallel_split(model: ModelHouse) -> None:
    steps = [act("a", "b", "c"), act("b"), act("c")]
    check(model, Example(steps, {"run": ["completed"], "b": ["done"], "c": ["done"]}, order=["a", "b c"]))


def test_03_synchronization(model: ModelHouse) -> None:
    steps = [act("a", "b", "c"), act("b"), act("c"), act("d", needs=["b", "c"])]
    check(model, Example(steps, {"run": ["completed"], "d": ["done"]}))


def test_04_exclusive_choice_and_05_simple_merge(model: ModelHouse) -> None:
    choice = one("x", "gateway", {"if": "no", "to": "b"}, {"if": "yes", "to": "c"}, {"to": "b"})
    steps = [choice, act("b", "d"), act("c", "d"), act("d")]
    check(model, Example(steps, {"run": ["completed"], "b": [], "c": ["done"], "d": ["done"]}))


def test_06_multi_choice_and_07_structured_synchronizing_merge(model: ModelHouse) -> None:
    steps = [
        some("x", b="yes", c="no", d="yes"),
        *(act(branch, "j") for branch in "bcd"),
        meet("j", "all", "e", mode="inclusive"),
        act("e"),
    ]
    check(
        model, Example(steps, {"run": ["completed"], "c": [], "j": ["done"], "e": ["done"]}, order=["d", "b"])
    )


def test_08_multi_merge(model: ModelHouse) -> None:
    steps = [act("a", "b", "c"), act("b", "d"), act("c", "d"), act("d")]
    check(model, Example(steps, {"run": ["completed"], "d": ["done", "done"]}))


def test_10_arbitrary_cycles(model: ModelHouse) -> None:
    again = one("x", "gateway", {"if": "total < 2", "to": "b"}, {"if": "total < 3", "to": "a"}, {"to": "end"})
    steps = [
        one("start", "pass", "a"),
        act("a", "b"),
        act("b", "count"),
        one("count", "set", "x", set={"total": 1}),
        again,
    ]
    check(model, Example(steps, {"run": ["completed"], "a": ["done"] * 2, "b": ["done"] * 3}))


def test_11_implicit_termination(model: ModelHouse) -> None:
    steps = [act("a", "b", "c"), act("b"), act("c", "d"), act("d")]
    check(model, Example(steps, {"run": ["completed"], "d": ["done"]}, order=["a", "c", "d", "b"]))


def test_21_structured_loop(model: ModelHouse) -> None:
    steps = [act("a", repeat={"while": "index < 2", "max": 9})]
    check(model, Example(steps, {"run": ["completed"], "a": ["done"] * 3}))


def test_43_explicit_termination(model: ModelHouse) -> None:
    steps = [act("a", "b", "c"), act("b", "e"), act("c"), one("e", "end", terminate=True)]
    check(model, Example(steps, {"run": ["completed"], "c": ["cancelled"]}, order=["a", "b"]))
