"""What work says it takes is held against what it is given; refusals name fields and never values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.core.parameters import MalformedSchema, problems_with, require_schema

SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]*$"},
        "count": {"type": "integer", "minimum": 1, "maximum": 9},
        "day": {"type": "string", "format": "date"},
        "kind": {"enum": ["large", "small"]},
        "place": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "lines": {"type": "array", "items": {"type": "integer"}, "maxItems": 2, "uniqueItems": True},
    },
    "required": ["text"],
    "additionalProperties": False,
}


def said(parameters: dict[str, Any], schema: dict[str, object] = SCHEMA) -> dict[str, str]:
    return {problem.field: problem.message for problem in problems_with(parameters, schema)}


def test_what_the_schema_allows_has_no_problems() -> None:
    given_with = {"text": "abc", "count": 9, "day": "2026-03-13", "place": {"city": "上海"}, "lines": [1, 2]}
    assert said(given_with) == {}


def test_without_a_schema_anything_is_allowed() -> None:
    assert said({"whatever": [1, {"is": None}]}, {}) == {}


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"text": None}, "parameters.text", "must be of type string"),
        ({"text": "a"}, "parameters.text", "must have at least 2 characters"),
        ({"text": "abcdef"}, "parameters.text", "must have at most 5 characters"),
        ({"text": "ABC"}, "parameters.text", "must match the pattern ^[a-z]*$"),
        ({"count": 0}, "parameters.count", "must be at least 1"),
        ({"count": 10}, "parameters.count", "must be at most 9"),
        ({"day": "13.03.2026"}, "parameters.day", "must be in the format date"),
        ({"kind": "tiny"}, "parameters.kind", "must be one of large, small"),
        ({"place": {}}, "parameters.place.city", "is required"),
        ({"place": {"city": "a", "zip": 1}}, "parameters.place.zip", "is not a parameter of this task type"),
        ({"lines": [1, "x"]}, "parameters.lines.1", "must be of type integer"),
        ({"lines": [1, 1]}, "parameters.lines", "must not hold an item twice"),
        ({"colour": "red"}, "parameters.colour", "is not a parameter of this task type"),
    ],
)
def test_every_rule_is_told_by_its_field_in_words(change: dict[str, Any], field: str, message: str) -> None:
    assert said({"text": "abc"} | change) == {field: message}


def test_every_problem_is_told_and_not_only_the_first() -> None:
    assert set(said({"count": 0, "kind": "x"})) == {
        "parameters.text",
        "parameters.count",
        "parameters.kind",
    }


def test_a_pattern_of_names_allows_what_it_matches() -> None:
    schema: dict[str, object] = {
        "patternProperties": {"^x_": {"type": "integer"}},
        "additionalProperties": False,
    }
    assert said({"x_a": 1}, schema) == {}
    assert list(said({"x_a": 1, "y": 1}, schema)) == ["parameters.y"]


# A matcher that goes back in the text needs 2^200 steps for each of these.
HOSTILE: dict[str, object] = {"pattern": "^(a+)+$"}
ALMOST = "a" * 200 + "!"


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        ({"properties": {"text": HOSTILE}}, "parameters.text"),
        ({"properties": {"text": True}, "propertyNames": HOSTILE}, "parameters"),
        ({"patternProperties": {"^(a+)+$": False}, "additionalProperties": False}, f"parameters.{ALMOST[:64]}"),
        ({"patternProperties": {"^(a+)+$": False}, "additionalProperties": {"type": "null"}}, "parameters.text"),
    ],
)  # fmt: skip
def test_a_pattern_of_a_schema_takes_time_in_proportion_to_the_text(
    schema: dict[str, object], field: str
) -> None:
    require_schema(schema)
    assert field in said({"text": ALMOST, ALMOST: None}, schema)


def test_a_pattern_of_names_holds_their_values_to_its_schema() -> None:
    schema: dict[str, object] = {"patternProperties": {"^x_": {"type": "integer"}}}
    assert said({"x_a": "one", "y": "one"}, schema) == {"parameters.x_a": "must be of type integer"}


def test_a_schema_that_leads_into_itself_ends_in_a_problem() -> None:
    assert said({}, {"$ref": "#"}) == {"parameters": "is nested too deeply to be checked"}


SECRET = "13800138000"
NAMES = ("text", "count", "day", "kind", "place", "lines", "city", "other")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.just(SECRET) | st.text(max_size=3),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_no_problem_repeats_what_was_given(value: Any) -> None:
    parameters = value if isinstance(value, dict) else {"text": value}
    assert all(SECRET not in f"{p.field} {p.message}" for p in problems_with(parameters, SCHEMA))


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"type": "array"}, "type"),
        ({"properties": {"a": {"type": "objekt"}}}, "parameters.properties.a.type"),
        ({"properties": {"a": {"pattern": "("}}}, "parameters.properties.a.pattern"),
        ({"properties": {"a": {"pattern": "^(?=a)"}}}, "parameters.properties.a.pattern"),
        ({"properties": {"a": {"pattern": r"(a)\1"}}}, "parameters.properties.a.pattern"),
        ({"patternProperties": {"(?<!a)b": {}}}, "parameters.patternProperties"),
        (
            {"allOf": [{"patternProperties": {"a": {}}}], "unevaluatedProperties": False},
            "unevaluatedProperties",
        ),
        ({"properties": {"a": {"$ref": "#/$defs/nowhere"}}}, "#/$defs/nowhere"),
        ({"properties": {"a": {"$ref": "https://example.com/schema.json"}}}, "https://example.com"),
        ({"enum": [{1: "a"}]}, "JSON"),
    ],
)
def test_a_malformed_schema_is_refused_with_its_place(schema: dict[str, object], place: str) -> None:
    with pytest.raises(MalformedSchema, match="parameters") as refused:
        require_schema(schema)
    assert place in str(refused.value)


def test_a_schema_may_refer_to_its_own_parts() -> None:
    schema: dict[str, object] = {
        "$defs": {"day": {"type": "string", "format": "date"}},
        "properties": {"from": {"$ref": "#/$defs/day"}},
    }
    require_schema(schema)
    assert list(said({"from": 3}, schema)) == ["parameters.from"]
