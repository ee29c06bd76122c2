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


SECRETS = {"PAY": "s3cret-value", "OTHER": "another-value"}


@pytest.mark.parametrize(
    ("written", "filled", "revealed"),
    [
        ("${secret.PAY}", None, "s3cret-value"),
        ("Bearer ${ secret.PAY }", None, "Bearer s3cret-value"),
        ("a $${secret.PAY} ${secret.PAY}!", None, "a ${secret.PAY} s3cret-value!"),
        (
            {"headers": {"A": "${secret.PAY}", "B": "${id}"}, "body": ["${secret.OTHER}", 1]},
            {"headers": {"A": None, "B": "SO-7"}, "body": [None, 1]},
            {"headers": {"A": "s3cret-value", "B": "SO-7"}, "body": ["another-value", 1]},
        ),
    ],
)
def test_secrets_are_null_until_they_are_revealed(written: object, filled: object, revealed: object) -> None:
    template = ValueTemplate.of(written)
    assert template.fill(SCOPE) == filled
    assert template.reveal(filled, SECRETS) == revealed


def test_what_is_data_is_never_taken_for_a_secret() -> None:
    sent = {"a": "${secret.PAY}", "b": [{"c": "${secret.PAY}"}], "d": None}
    template = ValueTemplate.of({"body": "${sent}", "text": "of ${sent.a}", "key": "${secret.PAY}"})
    filled = template.fill({"sent": sent})
    assert template.reveal(filled, SECRETS) == {
        "body": sent,
        "text": "of ${secret.PAY}",
        "key": "s3cret-value",
    }
    assert ValueTemplate.of("${sent}").reveal(sent, SECRETS) == sent
    # What was given beside the parameters is data, too, and so is what has another form than the template.
    assert template.reveal({"call": "${secret.PAY}", "body": 1}, SECRETS) == {
        "call": "${secret.PAY}",
        "body": 1,
    }
    assert ValueTemplate.of(["${secret.PAY}"]).reveal(["x", "y"], SECRETS) == ["x", "y"]


def test_a_template_names_its_secrets() -> None:
    assert ValueTemplate.of(["${secret.PAY}", {"a": "x ${secret.OTHER}"}, "${id}"]).secrets() == {
        "PAY",
        "OTHER",
    }
    assert ValueTemplate.of("${id}").secrets() == frozenset()
    with pytest.raises(KeyError):
        ValueTemplate.of("${secret.PAY}").reveal(None, {})


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("${secret.PAY}${id}", "constant text beside it, and no other expression"),
        ("${secret.PAY}:${secret.OTHER}", "constant text beside it, and no other expression"),
        ("${upper(secret.PAY)}", "'upper(secret.PAY)': a secret is taken as ${secret.NAME}"),
        ("${secret}", "a secret is taken as ${secret.NAME}"),
        ("${secret.PAY.x}", "a secret is taken as ${secret.NAME}"),
        ("${secret[id]}", "a secret is taken as ${secret.NAME}"),
        ("${id if secret.PAY else id}", "a secret is taken as ${secret.NAME}"),
        ("${ [secret.PAY] }", "a secret is taken as ${secret.NAME}"),
    ],
)
def test_a_secret_is_taken_in_one_way_alone(written: object, problem: str) -> None:
    with pytest.raises(MalformedExpression) as fault:
        ValueTemplate.of(written)
    assert problem in str(fault.value)
