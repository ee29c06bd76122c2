"""Phone numbers: many forms, one number; what is none is refused."""

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.blind_index import BlindIndex, derived_key
from runtime.cipher import Cipher
from runtime.mask import mask_phone, mask_text
from runtime.phone import Phone, normalise

MOBILE = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
WRITTEN = st.builds(
    lambda country, number, gap: f"{country}{number[:3]}{gap}{number[3:7]}{gap}{number[7:]}",
    st.sampled_from(["", "+86", "0086", "86", "+86 ", "0086-", "86 "]),
    MOBILE,
    st.sampled_from(["", " ", "-"]),
)


def by_the_library(text: str) -> str | None:
    try:
        parsed = phonenumbers.parse(text, "CN")
    except phonenumbers.NumberParseException:
        return None
    valid = phonenumbers.is_valid_number(parsed)
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) if valid else None


@pytest.mark.parametrize(
    ("text", "e164", "masked"),
    [
        ("13800138000", "+8613800138000", "138****8000"),
        ("138 0013 8000", "+8613800138000", "138****8000"),
        ("138-0013-8000", "+8613800138000", "138****8000"),
        ("+8613800138000", "+8613800138000", "138****8000"),
        ("+86 138 0013 8000", "+8613800138000", "138****8000"),
        ("008613800138000", "+8613800138000", "138****8000"),
        ("8613800138000", "+8613800138000", "138****8000"),
        ("１３８００１３８０００", "+8613800138000", "138****8000"),
        ("010-62345678", "+861062345678", "010****5678"),
        ("(0755) 8888 6666", "+8675588886666", "0755****6666"),
        ("400-820-8820", "+864008208820", "400****8820"),
        ("+1 202 555 0123", "+12025550123", "202****0123"),
    ],
)
def test_every_form_of_a_number_is_that_number(text: str, e164: str, masked: str) -> None:
    phone = normalise(text)
    assert phone is not None
    assert (phone.e164, phone.masked()) == (e164, masked)


@pytest.mark.parametrize(
    "text",
    [
        "1380013800",
        "138001380001",
        "12345678901",
        "138****8000",
        "95588",
        "021-12345",
        "+86 21 12345",
        "110",
        "",
        "-",
        "+",
        "1-800-FLOWERS",
        "010-62345678 ext 5",
        "13800138000,13900139000",
        "客户不留",
        "\ud800",
        "1" * 5000,
    ],
)
def test_what_is_no_number_to_call_is_refused(text: str) -> None:
    assert normalise(text) is None


@given(WRITTEN)
def test_the_short_way_for_mobiles_agrees_with_the_library(text: str) -> None:
    phone = normalise(text)
    assert (phone.e164 if phone else None) == by_the_library(text)


@given(st.text(alphabet="0123456789+-() .*转x一", max_size=24) | st.text(max_size=40))
def test_any_text_is_a_number_or_none_and_a_number_is_its_own_form(text: str) -> None:
    phone = normalise(text)
    if phone is not None:
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", phone.e164)
        assert normalise(phone.e164) == phone


@given(MOBILE)
def test_the_mask_is_the_one_of_logs_and_shows_no_more(number: str) -> None:
    phone = normalise(number)
    if phone is not None:
        assert phone.masked() == mask_phone(number) == mask_text(phone.e164).removeprefix("+86")


def test_a_number_is_not_shown_by_accident() -> None:
    assert "13800138000" not in repr(normalise("13800138000"))


def test_equal_numbers_have_equal_marks_and_others_do_not() -> None:
    index = BlindIndex(Cipher.new_key())
    marks = {index.mark(Phone(number)) for number in ("+8613800138000", "+8613800138000", "+8613800138001")}
    assert len(marks) == 2
    assert all(len(mark) == 32 for mark in marks)


def test_a_mark_ends_in_the_name_of_its_key_and_a_number_has_one_for_each_key() -> None:
    phone, new, old = Phone("+8613800138000"), Cipher.new_key(), Cipher.new_key()
    index, former = BlindIndex(new, [old]), BlindIndex(old)
    assert index.marks(phone) == (index.mark(phone), former.mark(phone))
    assert [mark[-4:] for mark in index.marks(phone)] == [index.key_name, former.key_name]
    assert index.has_former
    assert not former.has_former
    assert former.marks(phone) == (former.mark(phone),)


def test_another_key_makes_other_marks() -> None:
    phone, key = Phone("+8613800138000"), Cipher.new_key()
    marks = [BlindIndex(each).mark(phone) for each in (key, Cipher.new_key(), derived_key(key))]
    assert len(set(marks)) == 3


def test_the_derived_key_is_always_the_same() -> None:
    key = Cipher.new_key()
    assert derived_key(key) == derived_key(key) != key


def test_a_key_of_another_length_is_refused_by_the_name_of_its_setting() -> None:
    with pytest.raises(ValueError, match="holds 3 bytes, it needs 32; see UNPEND_INDEX_KEY"):
        BlindIndex("AAAA")
