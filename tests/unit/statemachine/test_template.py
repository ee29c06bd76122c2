"""Texts with `${}`: what becomes of them, and with what they are refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statemachine.workflow.expression.calculation import LONGEST_TEXT, ExpressionFault, MalformedExpression
from statemachine.workflow.expression.template import DEEPEST_TEMPLATE, ValueTemplate

SCOPE = {
    "id": "SO-7",
    "total": 12.5,
    "paid": True,
    "items": [1, 2],
    "nothing": None,
    "long": "x" * LONGEST_TEXT,
}


@pytest.mark.parametrize(
    ("written", "filled"),
    [
        ("plain", "plain"),
        ("", ""),
        ("${total}", 12.5),
        ("${items}", [1, 2]),
        ("${nothing}", None),
        (" ${total}", " 12.5"),
        ("${id}/${total}/${paid}", "SO-7/12.5/true"),
        ("${id}${id}", "SO-7SO-7"),
        ("$${id}", "${id}"),
        ("a $${id} ${id}", "a ${id} SO-7"),
        ("$$${id}", "$${id}"),
        ("$ {id} }", "$ {id} }"),
        ("${ {'a': {'b': '}'}}['a'].b }", "}"),
        ("${'${' + \"it's\" + '\\'}'}", "${it's'}"),
        ({"a": ["${total}", {"b": "${id}!"}], "${id}": 1}, {"a": [12.5, {"b": "SO-7!"}], "${id}": 1}),
        ([1, None, True, 2.5], [1, None, True, 2.5]),
    ],
)
def test_a_template_is_filled(written: object, filled: object) -> None:
    found = ValueTemplate.of(written).fill(SCOPE)
    assert found == filled
    assert type(found) is type(filled)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("${idd}", "there is no 'idd'; did you mean 'id'?, in 'idd' at column 1"),
        ("of ${nothing}", "null has no form within a text, in 'nothing' at column 1"),
        ("of ${items}", "a list has no form within a text"),
        ("${long}!", "a text of more than 262,144 characters"),
        ({"a": ["${total / 0}"]}, "division by zero, in 'total / 0' at column 9"),
    ],
)
def test_a_template_without_a_value_is_a_fault(written: object, problem: str) -> None:
    with pytest.raises(ExpressionFault) as fault:
        ValueTemplate.of(written).fill(SCOPE)
    assert problem in str(fault.value)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("a ${id", "'${id' has no end"),
        ("${'}", "has no end"),
        ("${}", "is not an expression"),
        (["${1 +}"], "is not an expression"),
        ({"a": "${open('x')}"}, "there is no function 'open'"),
    ],
)
def test_a_malformed_template_is_refused(written: object, problem: str) -> None:
    with pytest.raises(MalformedExpression) as refusal:
        ValueTemplate.of(written)
    assert problem in str(refusal.value)


def test_a_template_has_a_greatest_depth() -> None:
    value: object = "${id}"
    for _ in range(DEEPEST_TEMPLATE):
        value = [value]
    with pytest.raises(MalformedExpression, match="deeper than 100 levels"):
        ValueTemplate.of(value)


def test_a_template_says_which_names_it_takes() -> None:
    assert ValueTemplate.of({"a": ["${order.id} ${total}"], "b": "${total}"}).names() == {
        ("order", "id"),
        ("total",),
    }


@given(
    st.one_of(st.text(max_size=40), st.text("${}'\"\\ai+1 ", max_size=40)),
    st.dictionaries(
        st.sampled_from(["a", "i", "ai"]), st.one_of(st.none(), st.integers(), st.text(max_size=4))
    ),
)
def test_any_text_is_filled_or_refused(written: str, scope: dict[str, object]) -> None:
    try:
        found = ValueTemplate.of(written).fill(scope)
    except (MalformedExpression, ExpressionFault):
        return
    json.dumps(found, allow_nan=False)
    if "${" not in written:
        assert found == written
