"""Phone numbers and secrets as they may be shown: to logs, events, errors and pages."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from runtime.ids import WRITTEN as OUR_ID

_GAP: Final = r"[\s.\-‐-―()（）]{0,2}"
_MOBILE: Final = re.compile(
    # 138 0013 8000, 138 001 38000, 1380 013 8000, 13800 138000, with or without the country; digits of either width.
    rf"(?<!\d)(?:(?:[+＋]|00)?86{_GAP})?([1１][3-9３-９]\d)"
    rf"(?:{_GAP}\d{{4}}{_GAP}|{_GAP}\d{{3}}{_GAP}\d|\d{_GAP}\d{{3}}{_GAP}|\d\d{_GAP}\d\d)(\d{{4}})(?!\d)"
)
_LANDLINE: Final = re.compile(r"(?<!\d)(0\d{2,3})[-\s]?\d{3,4}[-\s]?(\d{4})(?!\d)")
_INTERNATIONAL: Final = re.compile(rf"[+＋](?:{_GAP}\d){{8,15}}(?!\d)")
"""A number of any country, as E.164 or in groups; Chinese mobile numbers are masked before."""
_SUSPECT: Final = re.compile(r"\d(?:\D{0,2}\d){7}|://|(?i:bearer)")
"""What every text has that any of these finds something in: most have nothing of it and are looked at once."""
_FEWEST_DIGITS: Final = 7
"""A subscriber's number has at least so many; `phone_attempts: 3` is none."""
_CREDENTIALS: Final = re.compile(r"(?<=://)([^:/@\s]*):[^@\s]+@")
_PHONE_FIELD: Final = re.compile(r"(?i)phone|mobile|telephone|电话|手机")
_BEARER: Final = re.compile(r"(?i)(bearer\s+)\S+")


def mask_phone(number: str) -> str:
    """A phone number as it may be shown: `138****0000`."""
    digits = re.sub(r"\D", "", number)
    if len(digits) < 8:  # noqa: PLR2004 - shorter than any subscriber number: nothing of it is shown
        return "****"
    local = digits[2:] if digits.startswith("86") and len(digits) == 13 else digits  # noqa: PLR2004
    return f"{local[:3]}****{local[-4:]}"


def mask_text(text: str) -> str:
    """The text with every phone number masked, and the passwords of addresses and bearer tokens removed.

    Our own identifiers stay as they are, though the digits of one in a thousand look like a number.
    """
    if not _SUSPECT.search(text):
        return text
    text = _CREDENTIALS.sub(r"\1:****@", text)
    text = _BEARER.sub(r"\1****", text)
    return _between_ids(_mask_numbers, text) if OUR_ID.search(text) else _mask_numbers(text)


def _between_ids(mask: Callable[[str], str], text: str) -> str:
    masked, rest = "", 0
    for found in OUR_ID.finditer(text):
        masked += mask(text[rest : found.start()]) + found[0]
        rest = found.end()
    return masked + mask(text[rest:])


def _mask_numbers(text: str) -> str:
    text = _MOBILE.sub(r"\1****\2", text)
    text = _LANDLINE.sub(r"\1****\2", text)
    if "+" in text or "＋" in text:
        text = _INTERNATIONAL.sub(lambda found: mask_phone(found[0]), text)
    return text


def mask_json(value: object, *, field: str = "") -> Any:
    """A JSON value with every phone number masked, however deep it lies, in names of fields too.

    A number is recognised by its form; under a field that is named for phones, whatever its form.
    """
    match value:
        case Mapping():
            return {mask_text(str(name)): mask_json(inner, field=str(name)) for name, inner in value.items()}
        case list() | tuple():
            return [mask_json(inner, field=field) for inner in value]
        case None | bool() | float():
            return value
        case int():
            digits = str(value)
            masked = _masked_under(field, digits)
            return value if masked == digits else masked
        case _:
            return _masked_under(field, str(value))


def _masked_under(field: str, text: str) -> str:
    masked = mask_text(text)
    digits = sum(character.isdigit() for character in masked)
    if _PHONE_FIELD.search(field) and "*" not in masked and digits >= _FEWEST_DIGITS:
        return mask_phone(masked)
    return masked
