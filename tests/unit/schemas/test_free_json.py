"""JSON of any shape is bounded where it is taken from outside."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.core.form import storable_object
from schemas.core.free_json import DEEPEST, LARGEST_INTEGER, MOST_KEYS, SMALLEST_INTEGER, require_bounded
from schemas.orders.intake import TaskCreated
from tests.support.factories import payload

SCALARS = st.none() | st.booleans() | st.integers(SMALLEST_INTEGER, LARGEST_INTEGER) | st.text()
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=40),
    max_leaves=60,
)


def nested(levels: int, *, arrays: bool = False) -> dict[str, Any]:
    """An object of so many levels, itself included."""
    value: Any = 1
    for _ in range(levels - 1):
        value = [value] if arrays else {"a": value}
    return {"a": value}


def depth(value: object) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def keys(value: object) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(keys, value.values()))
    return sum(map(keys, value)) if isinstance(value, list) else 0


@given(st.dictionaries(st.text(), ANY_JSON, max_size=60))
def test_exactly_what_is_too_deep_or_too_wide_is_refused(value: dict[str, Any]) -> None:
    too_much = depth(value) > DEEPEST or keys(value) > MOST_KEYS
    if too_much:
        with pytest.raises(ValueError, match="may "):
            require_bounded(value)
    else:
        require_bounded(value)


@pytest.mark.parametrize("arrays", [False, True])
def test_the_deepest_passes_and_one_deeper_is_told_the_limit(arrays: bool) -> None:
    require_bounded(nested(DEEPEST, arrays=arrays))
    with pytest.raises(ValueError, match=f"may be {DEEPEST} levels deep"):
        require_bounded(nested(DEEPEST + 1, arrays=arrays))


def test_the_widest_passes_and_one_more_is_told_the_limit() -> None:
    inner = {str(number): number for number in range(MOST_KEYS - 1)}
    require_bounded({"a": [inner]})
    with pytest.raises(ValueError, match=f"may have {MOST_KEYS} keys in all"):
        require_bounded({"a": [inner], "b": 1})


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**400])
def test_an_integer_no_column_holds_is_told_how_to_write_it(number: int) -> None:
    with pytest.raises(ValueError, match="write it as text"):
        require_bounded({"a": {"b": [number]}})


def test_what_no_recursion_can_walk_is_refused_without_one() -> None:
    with pytest.raises(ValueError, match="levels deep"):
        storable_object(nested(100_000, arrays=True))


@pytest.mark.parametrize("name", ["part", "copy", "model_dump", "__class__"])
def test_the_metadata_of_an_order_is_bounded_whatever_its_fields_are_called(name: str) -> None:
    with pytest.raises(ValidationError, match="levels deep"):
        TaskCreated.model_validate(payload(metadata={name: nested(DEEPEST)}))


@pytest.mark.parametrize("text", ["\x00", "\ud800"])
def test_an_object_with_a_character_no_column_holds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be stored"):
        storable_object({"a": ["ok", text]})
