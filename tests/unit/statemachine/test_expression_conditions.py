"""Expressions as conditions of gateways: what they say, what is refused, and that they cannot act."""

import ast
import builtins
import contextlib
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine.workflow.expression.calculation import (
    DEEPEST_EXPRESSION,
    LONGEST_EXPRESSION,
    ExpressionFault,
    MalformedExpression,
)
from statemachine.workflow.expression.compiled import Expression

SCOPE: Mapping[str, object] = {
    "confidence": 0.85,
    "threshold": 0.80,
    "requires_human_review": False,
    "result": "answered",
    "nothing": None,
    "left": {"total": 3, "ok": True},
    "tags": ["vip", "late"],
    "text": "vip customer",
}


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("confidence >= threshold and not requires_human_review", True),
        ("confidence >= 0.86", False),
        ("result == 'answered'", True),
        ("result != 'answered'", False),
        ("result in ['answered', 'busy']", True),
        ("result in ('busy', 'off')", False),
        ("result not in ['busy']", True),
        ("'vip' in tags", True),
        ("'gold' not in tags", True),
        ("left.total >= 2", True),
        ("left.ok", True),
        ("0 < confidence < 1", True),
        ("0 < confidence < 0.5", False),
        ("-1 < 0", True),
        ("confidence > 0.9 or left.ok", True),
        ("not (confidence > 0.9 or left.ok)", False),
        ("left.ok == true", True),
        ("requires_human_review == false", True),
        ("nothing == null", True),
        ("True", True),
        ("  result == 'answered'  ", True),
        ("result < 'b'", True),
    ],
)
def test_a_condition_holds_as_it_reads(text: str, held: bool) -> None:
    assert Expression.parse(text).holds(SCOPE) is held


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("missing", False),
        ("missing == null", True),
        ("missing > 0", False),
        ("missing <= 0", False),
        ("0 < missing", False),
        ("missing != 'answered'", True),
        ("missing in ['answered']", False),
        ("missing not in ['answered']", True),
        ("'a' in missing", False),
        ("missing.total > 1", False),
        ("left.missing > 1", False),
        ("result.total > 1", False),
        ("-missing < 1", False),
        ("-result < 1", False),
    ],
)
def test_a_name_nobody_set_is_nothing_and_orders_below_nothing(text: str, held: bool) -> None:
    assert Expression.parse(text).holds(SCOPE) is held


@pytest.mark.parametrize("text", ["result > 1", "1 > result", "tags > 1", "left >= left", "nothing < 1"])
def test_values_that_have_no_order_are_in_none(text: str) -> None:
    assert not Expression.parse(text).holds(SCOPE)


@pytest.mark.parametrize("text", ["'vip' in text", "'vip' in left", "'vip' not in text"])
def test_in_asks_lists_only(text: str) -> None:
    assert not Expression.parse(text).holds(SCOPE)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("open('x')", "open('x')"),
        ("a and __import__('os').system('true')", "__import__('os').system('true')"),
        ("a.b()", "a.b()"),
        ("().__class__", "().__class__"),
        ("'a'.join", "'a'.join"),
        ("{x for x in y}", "{x for x in y}"),
        ("(x for x in y)", "(x for x in y)"),
        ("{1, 2}", "{1, 2}"),
        ("lambda: 1", "lambda: 1"),
        ("2 ** 99999999", "2 ** 99999999"),
        ("~a", "~a"),
        ("+a", "+a"),
        ("(a := 1)", "a := 1"),
        ("[*a]", "*a"),
        ("a is None", "a is None"),
        ("f'{a}'", "f'{a}'"),
        ("b'x'", "b'x'"),
        ("1j", "1j"),
        ("...", "..."),
        ("await a", "await a"),
        ("[x for x in y for z in x]", "[x for x in y for z in x]"),
        ("[x for x in y if x if z]", "[x for x in y if x if z]"),
        ("[x for x, z in y]", "[x for x, z in y]"),
        ("[_x for _x in y]", "_x"),
        ("[1 for true in y]", "true"),
        ("_a", "_a"),
        ("a._b", "a._b"),
        ("a.__class__.__bases__[0]", "a.__class__"),
        ("a[1:2]", "1:2"),
        ("{**a}", "{**a}"),
        ("{a: 1}", "{a: 1}"),
        ("a @ b", "a @ b"),
        ("1 << 3", "1 << 3"),
        ("sum(a, start=1)", "sum(a, start=1)"),
        ("len(a, b)", "len(a, b)"),
        ("len(*a)", "*a"),
        ("join(x for x in y)", "join(x for x in y)"),
        ("1e999", "1e999"),
        ("9007199254740993", "9007199254740993"),
        ("true.x", "true.x"),
        ("(yield)", "yield"),
    ],
)
def test_what_is_not_of_the_language_is_refused_and_named(text: str, part: str) -> None:
    with pytest.raises(MalformedExpression) as refusal:
        Expression.parse(text)
    assert f"'{part}'" in str(refusal.value)
    assert f"in '{text}'" in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["", "   ", "a ==", "a = 1", "import os", "a; b", "a\nb", "\x00", "\ud800", "a \x00"]
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(MalformedExpression, match="is not an expression"):
        Expression.parse(text)


def test_an_expression_has_a_longest_text() -> None:
    longest = "a" * LONGEST_EXPRESSION
    assert Expression.parse(longest).text == longest
    with pytest.raises(MalformedExpression, match="2,000 characters, this has 2,001"):
        Expression.parse(longest + "a")


@pytest.mark.parametrize("nesting", [("-", "1", ""), ("not ", "a", ""), ("[", "1", "]")])
def test_an_expression_has_a_greatest_depth(nesting: tuple[str, str, str]) -> None:
    opened, inner, closed = nesting
    deepest = DEEPEST_EXPRESSION - 1
    Expression.parse(opened * deepest + inner + closed * deepest)
    with pytest.raises(MalformedExpression, match="nested deeper than 20 levels"):
        Expression.parse(opened * (deepest + 1) + inner + closed * (deepest + 1))


@pytest.mark.parametrize("text", ["(" * 249 + "1" + ")" * 249, "len(" + "-" * 1900 + "1)", "1" + "**1" * 300])
def test_a_text_made_to_exhaust_the_stack_is_refused_like_any_other(text: str) -> None:
    with pytest.raises(MalformedExpression):
        Expression.parse(text)


def test_conditions_of_the_same_text_are_equal() -> None:
    assert Expression.parse("a > 1") == Expression.parse("a > 1")
    assert Expression.parse("a > 1") != Expression.parse("a > 2")
    assert len({Expression.parse("a > 1"), Expression.parse("a > 1")}) == 1


NAMES = st.sampled_from(["a", "b", "left", "missing", "true", "null"])
CONSTANTS = st.one_of(
    st.integers(-5, 5).map(repr),
    st.floats(0, 10, allow_nan=False).map(repr),
    st.text("abc'\\", max_size=3).map(repr),
    st.sampled_from(["True", "False", "None"]),
)
ATOMS = st.one_of(NAMES, CONSTANTS, st.just("left.total"), st.just("a.b"))
COMPARISONS = st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in", "not in"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, COMPARISONS, inner),
        st.builds("({} {} {} {} {})".format, inner, COMPARISONS, inner, COMPARISONS, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        st.builds("(not {})".format, inner),
        st.builds("(-{})".format, inner),
        st.builds("[{}, {}]".format, inner, inner),
    ),
    max_leaves=6,
).filter(lambda text: len(text) <= LONGEST_EXPRESSION)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["total", "b"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(EXPRESSIONS, st.dictionaries(st.sampled_from(["a", "b", "left"]), JSON))
def test_every_condition_that_parses_can_be_evaluated_over_anything(
    text: str, scope: dict[str, object]
) -> None:
    before = repr(scope)
    condition = Expression.parse(text)
    assert condition.holds(scope) in (True, False)
    assert condition.holds(scope) == condition.holds(scope)
    assert repr(scope) == before


@given(st.one_of(st.text(max_size=60), st.text("ab.()[]{}<>=!'\"-+*:, \n", max_size=60)))
def test_any_text_is_an_expression_or_refused_as_one(text: str) -> None:
    try:
        condition = Expression.parse(text)
    except MalformedExpression:
        return
    with contextlib.suppress(ExpressionFault):
        assert condition.holds({}) in (True, False)


def reference(text: str, scope: Mapping[str, object]) -> bool:
    """What Python says of the part of the language that both have, where every name is known and is a number."""
    return bool(eval(text, {"__builtins__": {}}, {**scope, "true": True, "false": False, "null": None}))


NUMBERS = st.sampled_from(["a", "b", "3", "0.5", "true", "false", "(-b)"])
PLAIN = st.recursive(
    st.one_of(
        st.builds("({} {} {})".format, NUMBERS, COMPARISONS.filter(lambda op: "in" not in op), NUMBERS),
        st.builds("({} {} [{}, {}])".format, NUMBERS, st.sampled_from(["in", "not in"]), NUMBERS, NUMBERS),
        st.builds("({} < {} <= {})".format, NUMBERS, NUMBERS, NUMBERS),
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or", "==", "!="]), inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=6,
)


@given(PLAIN, st.fixed_dictionaries({"a": st.integers(-3, 3), "b": st.floats(-3, 3)}))
def test_a_condition_over_numbers_says_what_python_says(text: str, scope: dict[str, object]) -> None:
    assert Expression.parse(text).holds(scope) is reference(text, scope)


SMUGGLED = st.sampled_from(
    [
        "tripwire()",
        "tripwire",
        "a.tripwire()",
        "[tripwire() for a in [1]]",
        "(lambda: tripwire())()",
        "f'{tripwire()}'",
        "tripwire[tripwire()]",
        "(b := tripwire())",
        "getattr(tripwire, '__call__')()",
        "tripwire() if a else a",
    ]
)


@given(SMUGGLED, EXPRESSIONS.filter(lambda text: len(text) < 300), st.sampled_from(["and", "or", "==", "in"]))
def test_parsing_and_evaluating_call_nothing(smuggled: str, other: str, operator: str) -> None:
    called: list[int] = []
    text = f"{smuggled} {operator} {other}"
    ast.parse(text, mode="eval")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builtins, "tripwire", lambda: called.append(1), raising=False)
        try:
            Expression.parse(text).holds({"tripwire": lambda: called.append(1)})
        except MalformedExpression:
            assert smuggled != "tripwire"
    assert called == []
