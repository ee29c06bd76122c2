"""Numbers as providers dial them: E.164 abroad, the national form within China."""

import re
from typing import Final

import phonenumbers

_HOME: Final = "CN"
_HOME_CODE: Final = 86
_WRITTEN: Final = re.compile(r"[+＋]?[\d\s\-().（）]+")
"""A masked number is none, whatever digits are left of it."""


def international(number: str) -> str | None:
    """The number in E.164, as `+8613800138000`; one without a country code is Chinese, None when it is none."""
    parsed = _parsed(number)
    return None if parsed is None else phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def mainland(number: str) -> str | None:
    """The number as Aliyun dials it: `13800138000`, `057112345678`; abroad `85212345678`; None when it is none."""
    parsed = _parsed(number)
    if parsed is None:
        return None
    significant = phonenumbers.national_significant_number(parsed)
    if parsed.country_code != _HOME_CODE:
        return f"{parsed.country_code}{significant}"
    fixed = phonenumbers.number_type(parsed) is phonenumbers.PhoneNumberType.FIXED_LINE
    return f"0{significant}" if fixed else significant


def _parsed(number: str) -> phonenumbers.PhoneNumber | None:
    if not _WRITTEN.fullmatch(number):
        return None
    try:
        parsed = phonenumbers.parse(number, _HOME)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_possible_number(parsed) else None
