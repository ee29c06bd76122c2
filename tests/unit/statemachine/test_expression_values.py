"""What expressions calculate, with what they fault, and that no expression takes more than it may."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine.workflow.expression.calculation import (
    LONGEST_LIST,
    LONGEST_TEXT,
    ExpressionFault,
    MalformedExpression,
)
from statemachine.workflow.expression.compiled import Expression
from statemachine.workflow.expression.functions import FUNCTIONS

SCOPE: Mapping[str, object] = {
    "order": {"id": "SO-7", "customer": {"name": "王芳"}, "nothing": None},
    "numbers": [3, 1, 2],
    "zero": 0,
    "a": {"b": {"c": {"d": [{"e": 5}]}}},
    "text": "vip",
    "big": "x" * LONGEST_TEXT,
    "many": list(range(1_000)),
    "most": list(range(LONGEST_LIST)),
    "wide": ["x" * 1_000] * 900,
}


def value(text: str, *, strict: bool = False) -> object:
    return Expression.parse(text, strict=strict).evaluate(SCOPE)


def fault(text: str, *, strict: bool = False) -> ExpressionFault:
    with pytest.raises(ExpressionFault) as found:
        value(text, strict=strict)
    return found.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b.c.d[0].e", 5),
        ("a['b']['c'].d[-1]['e']", 5),
        ("order[text if false else 'id']", "SO-7"),
        ("[[y * x for y in numbers] for x in numbers if x > 1]", [[9, 3, 6], [6, 2, 4]]),
        ("[[x for x in [x, x]] for x in numbers]", [[3, 3], [1, 1], [2, 2]]),
        ("[[[x + y for y in [1]] for x in [x]] for x in [1]]", [[[2]]]),
        ("[x for x in numbers][0]", 3),
        ("text", "vip"),
        ("text(1) + text", "1vip"),
        ("1 - 2 - 3", -4),
        ("2 + 3 * 4", 14),
        (" + ".join(["1"] * 200), 200),
        ("min(numbers) + max(1, 9)", 10),
        ("min('b', 'a')", "a"),
        ("sum([])", 0),
        ("any([]) or not all([])", False),
        ("contains(numbers, 3) and contains([[1]], [1])", True),
        ("numbers == [3, 1, 2] and {'a': [1]} == {'a': [1]}", True),
        ("{'a': [1]} == {'a': [2]}", False),
        ("join([1, true, 'x', 0.5], '-')", "1-true-x-0.5"),
        ("number(text(2.50))", 2.5),
        ("number(' 12 ')", 12),
        ("round(-2.5)", -2),
        ("default(default(order.nothing, missing), 'x')", "x"),
        ("0 if zero else 1", 1),
        ("lower(order.customer.name)", "王芳"),
        ("order.missing.deeper", None),
        ("missing['a'][0]", None),
        ("order[missing]", None),
    ],
)
def test_an_expression_has_its_value(text: str, expected: object) -> None:
    assert value(text) == expected
    assert type(value(text)) is type(expected)


@pytest.mark.parametrize(
    ("text", "problem", "column"),
    [
        ("1 + 2 / zero", "division by zero", 9),
        ("1 // zero", "division by zero", 6),
        ("1 % 0", "division by zero", 5),
        ("1 + 'a'", "a number is needed here, this is a text", 5),
        ("'王' + missing", "a number is needed here, this is a text", 7),
        ("true + 1", "a number is needed here, this is true or false", 8),
        ("text * 3", "a number is needed here, this is a text", 8),
        ("numbers[3]", "the list has 3 elements, and none at this index", 1),
        ("(1 +\n numbers[-4])", "the list has 3 elements, and none at this index", 7),
        ("numbers['a']", "the index of a list is an integer, this is a text", 1),
        ("numbers[true]", "the index of a list is an integer, this is true or false", 1),
        ("order[0]", "an object has no element by a number", 1),
        ("text[0]", "a text has no element by a number", 1),
        ("[x for x in text]", "a list is needed here, this is a text", 13),
        ("[x for x in missing]", "a list is needed here, this is null", 13),
        ("  sum([1, 'a'])", "a number is needed here, this is a text", 1),
        ("min([])", "an empty list has no least and no greatest", 1),
        ("min(1, 'a')", "a number is needed here, this is a text", 1),
        ("len(1)", "a number has no length", 1),
        ("keys(text)", "an object is needed here, this is a text", 1),
        ("number('1_000')", "this text is not a number", 1),
        ("number('NaN')", "a number beyond what JSON can hold", 1),
        ("number('[1]')", "a number is needed here, this is a list", 1),
        ("text(missing)", "null has no form within a text", 1),
        ("join([order], '')", "an object has no form within a text", 1),
        ("split(text, '')", "an empty separator separates nothing", 1),
        ("round(1, 16)", "digits are an integer from 0 to 15", 1),
        ("9007199254740992 + 1", "an integer beyond 2^53", 20),
        ("1e308 * 10", "a number beyond what JSON can hold", 9),
    ],
)
def test_a_fault_says_what_is_wrong_and_where(text: str, problem: str, column: int) -> None:
    found = fault(text)
    assert (found.problem, found.column) == (problem, column)
    assert str(found) == f"{problem}, in '{found.expression}' at column {column}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ordr.id", "there is no 'ordr'; did you mean 'order'?"),
        ("order.custome.name", "there is no 'custome'; did you mean 'customer'?"),
        ("order['idd']", "there is no 'idd'; did you mean 'id'?"),
        ("order.nothing.x", "null has no 'x'"),
        ("zzz", "there is no 'zzz'"),
        ("[x.price for x in [order]]", "there is no 'price'"),
        ("default(1, ordr)", "there is no 'ordr'; did you mean 'order'?"),
    ],
)
def test_an_unknown_name_of_a_strict_expression_is_a_fault_with_the_nearest(text: str, problem: str) -> None:
    assert fault(text, strict=True).problem == problem


def test_a_default_takes_what_is_unknown_in_a_strict_expression() -> None:
    assert value("default(order.discount.rate, 0)", strict=True) == 0


def test_an_unknown_function_is_refused_with_the_nearest() -> None:
    with pytest.raises(MalformedExpression, match="there is no function 'lenght'; did you mean 'len'"):
        Expression.parse("lenght(a)")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[y for y in many] for x in many]", "more than 10,000 operations"),
        ("[x in most for x in most]", "more than 10,000 operations"),
        ("[most == most + [] for x in many]", "more than 10,000 operations"),
        ("[len(upper(big)) for x in many]", "more than 10,000 operations"),
        ("[sum(most) for x in many]", "more than 10,000 operations"),
        ("big in [big + 'x' for x in many]", "a text of more than"),
        ("[max(big, 'x') for x in many]", "more than 10,000 operations"),
        ("big + 'x'", "a text of more than 262,144 characters"),
        ("join(wide, '')", "a text of more than 262,144 characters"),
        ("join(most, big)", "a text of more than 262,144 characters"),
        ("most + [1]", "a list of more than 10,000 elements"),
        ("split(join(most, ',') + ',', ',') + ['']", "a list of more than 10,000 elements"),
        ("[big, big, big, big, big]", "a result of more than 1,048,576 characters"),
        ("[[most for x in most] for x in [1]]", "more than 10,000 operations"),
        ("[most for x in many]", "a result of more than 1,048,576 characters"),
        ("{'a': [wide, wide]}", "a result of more than 1,048,576 characters"),
    ],
)
def test_no_expression_takes_more_than_it_may(text: str, problem: str) -> None:
    assert problem in fault(text).problem


def test_a_deep_value_is_compared_without_end_of_the_stack() -> None:
    deep: object = 1
    other: object = 1
    for _ in range(5_000):
        deep, other = [deep], [other]
    assert Expression.parse("a == b").holds({"a": deep, "b": other})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", {("a",)}),
        ("a.b.c + a.d", {("a", "b", "c"), ("a", "d")}),
        ("a['b'].c", {("a", "b", "c")}),
        ("items[0].price", {("items",)}),
        ("rates[currency].x", {("rates",), ("currency",)}),
        ("[i.price * rate for i in items]", {("items",), ("rate",)}),
        ("[i for i in i]", {("i",)}),
        ("len(text) + number('1')", {("text",)}),
        ("true and null == false", set()),
        ("split(order.id, '-')[0]", {("order", "id")}),
    ],
)
def test_an_expression_says_which_names_it_takes(text: str, names: set[tuple[str, ...]]) -> None:
    assert Expression.parse(text).names() == names


JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=8,
)
SCOPES = st.dictionaries(st.sampled_from(["a", "b", "c", "x"]), JSON, max_size=4)
ATOMS = st.sampled_from(
    [
        "a",
        "b",
        "c",
        "x",
        "0",
        "1",
        "-3",
        "2.5",
        "1e300",
        "'a'",
        "''",
        "true",
        "null",
        "[]",
        "a.b",
        "c[0]",
        "b['a']",
    ]
)
WRITTEN = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(
            "({} {} {})".format,
            inner,
            st.sampled_from(["+", "-", "*", "/", "//", "%", "==", "<", "in", "and", "or"]),
            inner,
        ),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("[{} for x in {} if {}]".format, inner, inner, inner),
        st.builds("{{'a': {}, 'b': {}}}".format, inner, inner),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({}).b".format, inner),
        st.builds("{}({})".format, st.sampled_from(sorted(FUNCTIONS)), inner),
        st.builds("{}({}, {})".format, st.sampled_from(sorted(FUNCTIONS)), inner, inner),
    ),
    max_leaves=8,
)
ANY_TEXT = st.one_of(st.text(max_size=60), st.text("abx01.()[]{}<>=!'\"-+*/%:, \n", max_size=60))


@given(st.one_of(WRITTEN, ANY_TEXT), SCOPES, st.booleans())
def test_any_text_over_any_values_has_a_value_of_json_or_is_refused(
    text: str, scope: dict[str, object], strict: bool
) -> None:
    before = json.dumps(scope)
    try:
        expression = Expression.parse(text, strict=strict)
        found = expression.evaluate(scope)
    except (MalformedExpression, ExpressionFault):
        return
    finally:
        assert json.dumps(scope) == before
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert expression.holds(scope) is bool(found)


def test_a_function_over_a_comprehension_is_no_way_around_the_greatest_depth() -> None:
    deepest = "1"
    for _ in range(10):
        deepest = f"sum({deepest} for x in [1])"
    with pytest.raises(MalformedExpression, match="nested deeper than 20 levels"):
        Expression.parse(deepest)
