"""What upstream calls a task is shown as it is, unless it may be a number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.mask import mask_text
from runtime.names import shown_id

NUMBERS = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)


@given(NUMBERS, st.sampled_from(["HW", "SO-", "HT2026."]), st.sampled_from(["", "A", ":1"]))
def test_a_name_is_shown_though_its_digits_look_like_a_number(number: str, before: str, after: str) -> None:
    assert shown_id(f"{before}{number}{after}") == f"{before}{number}{after}"


@given(NUMBERS)
def test_a_bare_number_is_masked(number: str) -> None:
    assert number not in shown_id(number)


@pytest.mark.parametrize("given", ["138-0013-8000", "+8613800138000", "张三 13800138000", "tel/13800138000"])
def test_what_is_no_name_is_masked(given: str) -> None:
    assert shown_id(given) == mask_text(given) != given


@given(st.text())
def test_nothing_but_names_is_shown_unmasked(text: str) -> None:
    assert shown_id(text) == mask_text(text) or (text.isascii() and len(text) <= 32)
