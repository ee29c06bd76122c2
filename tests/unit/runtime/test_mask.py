"""No phone number and no secret is shown, however it is written."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.ids import Prefix, new_id
from runtime.mask import OwnNumber, mask_json, mask_phone, mask_text


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "+8613800138000",
        "+86 138 0013 8000",
        "+86-138-0013-8000",
        "8613800138000",
        "86-13800138000",
        "013800138000",
        "tel:13800138000;ext=1",
        "客户电话13800138000请回电",
        "a_13800138000_b",
        "021-12345678",
        "02112345678",
        "0755 8765 4321",
        "0571-8888888",
        "008613800138000",
        "0086 138 0013 8000",
        "13800 138000",
        "138 001 38000",
        "138.0013.8000",
        "(138)00138000",
        "138–0013–8000",
        "１３８００１３８０００",
        "138 00 13 80 00",
        "1 3 8 0 0 1 3 8 0 0 0",
        "1380013 8000",
        "138_0013_8000",
        "138/0013/8000",
        "138*0013*8000",
        "138·0013·8000",
        "138－0013－8000",
        "138—0013—8000",
        "\u200b138\u200b0013\u200b8000",
        "**13800138000**",
        "1.13800138000",
        "+86 (138) 0013-8000",
        "(021)12345678",
        "（021）12345678",
        "(021) 1234-5678",
        "0755 87 65 43 21",
        "021.1234.5678",
        "212-555-7890",
        "(212) 555-7890",
        "212.555.7890",
        "00852 51234567",
        "0085251234567",
        "00852-5123-4567",
        "001 212 555 7890",
        "+852 (51) 234567",
    ],
)
def test_a_number_is_masked_however_it_is_written(written: str) -> None:
    shown = mask_text(written)
    assert "****" in shown
    digits = re.sub(r"\D", "", written)
    assert digits[-8:-4] not in re.sub(r"[^\d*]", "", shown)


def test_every_number_of_a_text_is_masked_and_nothing_else() -> None:
    text = "13800138000,139-0013-9000; 订单 HT20260313001 共 12345 元, 2026-03-13 10:00:00"
    masked = "138****8000,139****9000; 订单 HT20260313001 共 12345 元, 2026-03-13 10:00:00"
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "HT20260313001",
        "20260313001",
        "2026-03-13 10:00:00",
        "2026-03-15 17 2026-03-16 1:30",
        "15/03/2026-17/03/2026",
        "2026/03/13 09:00-12:00 14:00-18:00",
        "10:00 2026-03-13",
        "12345678.90",
        "139000000.00",
        "1773370800.5",
        "¥1500.00-¥2000.00",
        "600*800*2000",
        "600 800 2000",
        "客户编号0012345678",
        "13987654-6780-4000-8000-139876543210",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca13987654321b855",
        "18号楼2单元1203室",
        "2026-03-13T10:00:00.123456+08:00",
        "1773370800123",
        "7f3c2a10-1b2c-4d3e-8f90-a1b2c3d4e5f6",
        "127.0.0.1:54321",
        "138****0000",
        "postgresql+psycopg://127.0.0.1:5432/unpend",
        "the bearer of this",
    ],
)
def test_what_is_neither_number_nor_secret_stays(text: str) -> None:
    assert mask_text(text) == text or text == "the bearer of this"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (
            "postgresql+psycopg://unpend:s3cret@db:5432/unpend",
            "postgresql+psycopg://unpend:****@db:5432/unpend",
        ),
        ("redis://:s3cret@127.0.0.1:6379/0", "redis://:****@127.0.0.1:6379/0"),
        ("amqp://a:s3%40cret@x// and https://b:s3cret@y/z", "amqp://a:****@x// and https://b:****@y/z"),
    ],
)
def test_the_password_of_an_address_is_removed(address: str, shown: str) -> None:
    assert mask_text(f"cannot reach {address}") == f"cannot reach {shown}"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_bearer_token_is_removed(scheme: str) -> None:
    assert mask_text(f"Authorization: {scheme} upk_abc.DEF-123") == f"Authorization: {scheme} ****"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800138000", "138****8000"),
        ("+86 138-0013-8000", "138****8000"),
        ("021-12345678", "021****5678"),
        ("138****0000", "****"),
        ("110", "****"),
        ("", "****"),
    ],
)
def test_a_phone_number_is_shown_by_its_ends(number: str, shown: str) -> None:
    assert mask_phone(number) == shown


MOBILES = st.builds("1{}{:09}".format, st.integers(3, 9), st.integers(0, 10**9 - 1))
AROUND = st.text(st.characters(exclude_categories=["Cs", "Nd"]), max_size=12)


@given(st.lists(st.tuples(AROUND, MOBILES), min_size=1, max_size=3), AROUND)
def test_no_mobile_number_survives_between_any_words(numbers: list[tuple[str, str]], last: str) -> None:
    # A separator that is no digit keeps two numbers two: with none between them they are one long number.
    text = "|".join(before + number for before, number in numbers) + last
    shown = mask_text(text)
    for _, number in numbers:
        assert number not in shown


@given(
    MOBILES,
    st.sampled_from(["", "+86", "86", "+86 ", "+86-", "86 "]),
    st.sampled_from(["", " ", "-"]),
    st.sampled_from(["", " ", "-"]),
)
def test_no_mobile_number_survives_in_groups(number: str, country: str, first: str, second: str) -> None:
    written = f"{country}{number[:3]}{first}{number[3:7]}{second}{number[7:]}"
    assert mask_text(f"拨打 {written} 未接通") == f"拨打 {number[:3]}****{number[7:]} 未接通"


@given(st.text(max_size=80))
def test_what_was_masked_stays_as_it_is(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"said": ["拨打 13800138000"]}, {"said": ["拨打 138****8000"]}),
        ({"number": 13800138000}, {"number": "138****8000"}),
        ({"13800138000": None}, {"138****8000": None}),
        ({"customer_phone": "+1 415 555 2671"}, {"customer_phone": "141****2671"}),
        ({"phone": ["4155552671"]}, {"phone": ["415****2671"]}),
        ({"phone": "138****0000"}, {"phone": "138****0000"}),
        (
            {"phone_attempts": 3, "confidence": 0.95, "ok": True},
            {"phone_attempts": 3, "confidence": 0.95, "ok": True},
        ),
        ({"order": "4155552671"}, {"order": "4155552671"}),
    ],
)
def test_json_is_masked_however_deep_and_by_the_names_of_its_fields(given: object, shown: object) -> None:
    assert mask_json(given) == shown
    assert mask_json(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call +14155550132 now", "call +141****0132 now"),
        ("+44 20 7946 0958", "442****0958"),
        ("+852-5123-4567", "852****4567"),
        ("2026-03-16T10:00:00+08:00", "2026-03-16T10:00:00+08:00"),
        ("12+345", "12+345"),
    ],
)
def test_a_number_of_another_country_is_masked_too(text: str, shown: str) -> None:
    assert mask_text(text) == shown


@pytest.mark.parametrize("prefix", Prefix)
def test_an_identifier_of_ours_stays_whole_even_where_its_digits_look_like_a_number(prefix: Prefix) -> None:
    looks_like_one = f"{prefix}1a1fd6c13ffb01018422044e9d"
    assert mask_text(looks_like_one) == looks_like_one
    assert mask_text(f"{looks_like_one}: 13800138000 打不通") == f"{looks_like_one}: 138****8000 打不通"


@given(st.sampled_from(Prefix))
def test_an_identifier_that_was_just_made_stays_whole(prefix: Prefix) -> None:
    made = new_id(prefix)
    assert mask_json({"id": made, "told": f"see {made}."}) == {"id": made, "told": f"see {made}."}


@pytest.mark.parametrize(
    "text",
    [
        "ALT1a1fd6c13ffb01018422044e9",  # a digit short
        "XALT1a1fd6c13ffb01018422044e9d",
        "ALT1a1fd6c13ffb01018422044e9df",
        "ALT13800138000",
    ],
)
def test_what_only_resembles_an_identifier_is_masked(text: str) -> None:
    assert "****" in mask_text(text)


def test_a_token_is_removed_even_if_it_has_the_form_of_an_identifier() -> None:
    token = new_id(Prefix.KEY)
    assert token not in mask_text(f"Authorization: Bearer {token}")
    assert token not in mask_text(f"redis://:{token}@127.0.0.1")


OWN = OwnNumber("+8613964805678", "139****5678")


@pytest.mark.parametrize(
    "written",
    [
        "13964805678",
        "139 (微信同号) 6480 转 5678",
        "一三九、六四八〇、五六七八",
        "幺三九六四八零五六七八",
        "１３９６４８０５６７８",
        "1,3,9,6,4,8,0,5,6,7,8",
    ],
)
def test_a_known_number_is_found_whatever_stands_between_its_digits(written: str) -> None:
    assert OWN.mask(f"请打{written}，谢谢") == "请打139****5678，谢谢"


def test_a_known_number_is_found_however_deep_in_names_and_among_numbers() -> None:
    told = {"a": [{"13964805678": 13964805678}], "b": "1396480 567", "c": None, "d": True, "e": 0.5, "f": 12}
    assert OWN.mask(told) == told | {"a": [{"139****5678": "139****5678"}]}


def test_a_known_landline_is_found_without_its_area() -> None:
    own = OwnNumber("+862158881234", "021****1234")
    assert own.mask("打 5888-1234 或 2158881234") == "打 021****1234 或 21021****1234"


@pytest.mark.parametrize("number", ["139****5678", "110", ""])
def test_where_the_number_is_not_known_nothing_is_hidden(number: str) -> None:
    assert OwnNumber(number, "****").mask("1105678 13964805678") == "1105678 13964805678"


NO_DIGITS = st.characters(exclude_characters="〇零一二三四五六七八九幺两", exclude_categories=["Cs", "Nd"])


@given(MOBILES, st.lists(st.text(NO_DIGITS, max_size=4), min_size=11, max_size=11))
def test_no_known_number_survives_between_any_letters(number: str, between: list[str]) -> None:
    written = "".join(digit + gap for digit, gap in zip(number, between, strict=True))
    shown = OwnNumber(f"+86{number}", "****").mask(written)
    assert re.sub(r"\D", "", shown) == ""
