"""Normalises phone numbers to E.164 for storage and comparison."""

import re
from dataclasses import dataclass, field
from typing import Final

import phonenumbers

DEFAULT_REGION: Final = "CN"
"""Where a number is at home that names no country."""

# A Chinese mobile number as most orders have it; parsing it in full takes twenty times as long. The ranges are
# those of the numbering plan that the library knows, and a test holds both together.
_MOBILE: Final = re.compile(
    r"(?:(?:\+|00)?86[ -]?)?(1(?:[38][0-9]|4[57]|[59][0-35-9]|6[25-7]|7[0-35-8]))[ -]?([0-9]{4})[ -]?([0-9]{4})"
)
_CHINESE_MOBILE: Final = re.compile(r"\+86(1[3-9][0-9])[0-9]{4}([0-9]{4})")
_FOREIGN_TO_NUMBERS: Final = re.compile(r"[^\d\s()（）+＋.,/\-‐-―－]")
_LONGEST: Final = 32
_CHINA: Final = 86
_FEWEST_OF_CHINA: Final = 9
"""Digits of the shortest number of a Chinese subscriber, area code included."""
_FEWEST_SHOWN: Final = 8
"""Of a number with fewer digits nothing is shown."""


@dataclass(frozen=True, slots=True)
class Phone:
    """A number that is valid by its country's numbering plan; `e164` such as +8613800138000."""

    e164: str = field(repr=False)

    def masked(self) -> str:
        """The number masked: `138****8000`; of a landline `010****5678` with the area code."""
        mobile = _CHINESE_MOBILE.fullmatch(self.e164)
        if mobile:
            return f"{mobile[1]}****{mobile[2]}"
        parsed = phonenumbers.parse(self.e164, None)
        if len(phonenumbers.national_significant_number(parsed)) < _FEWEST_SHOWN:
            return "****"
        written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        first = re.sub(r"\D", "", re.split(r"[\s-]", written, maxsplit=1)[0])
        return f"{first[:4]}****{self.e164[-4:]}"


def _is_service(number: phonenumbers.PhoneNumber) -> bool:
    """Whether it is one of China's short numbers behind an area code, which reach an office and no customer."""
    is_short = len(phonenumbers.national_significant_number(number)) < _FEWEST_OF_CHINA
    return number.country_code == _CHINA and is_short


def normalise(text: str) -> Phone | None:
    """Parse a phone number in any common form; `None` when it cannot be called.

    A number without its country is one of China. Masked numbers, extensions, letters, numbers that the country's
    numbering plan does not have (1380013800 lacks a digit) and China's short ones (021-12345) are refused.
    """
    mobile = _MOBILE.fullmatch(text)
    if mobile:
        return Phone(f"+86{mobile[1]}{mobile[2]}{mobile[3]}")
    if len(text) > _LONGEST or _FOREIGN_TO_NUMBERS.search(text):
        return None
    try:
        parsed = phonenumbers.parse(text, DEFAULT_REGION)
    except phonenumbers.NumberParseException:
        return None
    if parsed.extension or not phonenumbers.is_valid_number(parsed) or _is_service(parsed):
        return None
    return Phone(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
