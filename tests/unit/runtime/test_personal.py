"""Personal fields are found by their names wherever they stand, and nothing else is touched."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.personal import HIDDEN, PersonalFields, merged

FIELDS = PersonalFields.of(["customer_name", "姓名"], ["address", "身份证号"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from(["a", "customerName", "姓名", "address_2", "ADDRESS", "b"]), inner)
    ),
    max_leaves=20,
)


@pytest.mark.parametrize(
    "name",
    ["customer_name", "Customer-Name", "customerName", "CUSTOMER NAME", "customer.name_2", "ｃustomer＿name"],
)
def test_a_name_is_known_however_it_is_spelt(name: str) -> None:
    assert FIELDS.mask({name: "张三丰"}) == {name: "张**"}


@pytest.mark.parametrize(
    "name", ["product_name", "customer", "customer_names", "addressee", "", "_", "x" * 1000]
)
def test_another_name_is_left_alone(name: str) -> None:
    assert FIELDS.divide({name: "张三丰"}) == ({name: "张三丰"}, None)


def test_fields_are_found_at_any_depth_and_in_lists() -> None:
    given = {
        "site": {"address": "桃花岛1号", "floor": 3},
        "contacts": [{"姓名": "李四"}, {"role": "门卫"}, [{"customer_name": "王五"}]],
        "customer_name": "张三丰",
    }
    shown, taken = FIELDS.divide(given)
    assert shown == {
        "site": {"address": HIDDEN, "floor": 3},
        "contacts": [{"姓名": "李**"}, {"role": "门卫"}, [{"customer_name": "王**"}]],
        "customer_name": "张**",
    }
    assert taken == {
        "site": {"address": "桃花岛1号"},
        "contacts": [{"姓名": "李四"}, None, [{"customer_name": "王五"}]],
        "customer_name": "张三丰",
    }


@pytest.mark.parametrize("value", [{"city": "上海", "room": {"no": 3}}, ["桃花岛", "1号"], 200030, 0.5])
def test_whatever_a_declared_field_holds_is_hidden_whole(value: object) -> None:
    assert FIELDS.divide({"address": value}) == ({"address": HIDDEN}, {"address": value})


@pytest.mark.parametrize("value", [None, True, "", "  ", [], {}, "****", "**"])
def test_what_tells_nothing_stays_as_it_is_and_is_not_taken(value: object) -> None:
    assert FIELDS.divide({"address": value, "姓名": value}) == ({"address": value, "姓名": value}, None)


@pytest.mark.parametrize("name", ["张", "J", " 王 "])
def test_a_name_of_one_character_is_hidden(name: str) -> None:
    assert FIELDS.mask({"姓名": name}) == {"姓名": HIDDEN}


def test_a_name_that_came_masked_is_not_taken() -> None:
    assert FIELDS.divide({"姓名": "张**"}).taken is None


@given(JSON)
def test_what_is_masked_once_is_masked_for_good(value: Any) -> None:
    shown, _ = FIELDS.divide(value)
    assert FIELDS.divide(shown) == (shown, None)


@given(JSON)
def test_what_was_taken_out_stands_where_it_stood(value: Any) -> None:
    shown, taken = FIELDS.divide(value)
    assert restored(shown, taken) == value


@given(JSON)
def test_of_what_was_taken_at_two_times_nothing_is_lost(value: Any) -> None:
    """First one field is declared, later the others."""
    early = PersonalFields.of(["customer_name"], [])
    shown, first = early.divide(value)
    _, second = FIELDS.divide(shown)
    _, at_once = FIELDS.divide(value)
    assert merged(first, second) == at_once


def restored(shown: Any, taken: Any) -> Any:
    """The value again."""
    match shown, taken:
        case dict(), dict():
            return {
                name: restored(inner, taken[name]) if name in taken else inner
                for name, inner in shown.items()
            }
        case list(), list():
            return [restored(*pair) for pair in zip(shown, taken, strict=True)]
        case _:
            return shown if taken is None else taken
