"""Masks phone numbers and secrets for logs, events, errors and pages."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from runtime.ids import WRITTEN as OUR_ID

_GAP: Final = r"[\s.\-_/*·()（）‐-―－\u200b-\u200d\u2060\ufeff]{0,2}"
_START: Final = r"(?<!\d)(?<!\d\*{4})"
_END: Final = r"(?!\d|\*{4}\d)"
"""What was masked ends in four digits, and begins no other number."""
_NO_DATE: Final = r"(?<!\d[-./_:,])"
_NO_TIME: Final = r"(?!:\d)"
_MOBILE: Final = re.compile(
    # 138 0013 8000, 138 001 38000, 1380 013 8000, 13800 138000, with or without the country; digits of either width.
    rf"{_START}(?:(?:[+＋]|00)?86{_GAP})?(?:[1１][3-9３-９]\d"
    rf"(?:{_GAP}\d{{4}}{_GAP}|{_GAP}\d{{3}}{_GAP}\d|\d{_GAP}\d{{3}}{_GAP}|\d\d{_GAP}\d\d)\d{{4}}"
    # The digits grouped in any other way, unless it may be a date, a time or an amount: 139 87 65 43 21.
    rf"|{_NO_DATE}(?<![+＋])(?!\d+\.\d{{1,3}}(?![\d.]))[1１]{_GAP}[3-9３-９](?:{_GAP}\d){{9}}{_NO_TIME}){_END}"
)
_LANDLINE: Final = re.compile(rf"{_START}[(（]?([0０][1-9１-９]\d{{1,2}}(?:{_GAP}\d){{7,8}}){_NO_TIME}{_END}")
_INTERNATIONAL: Final = re.compile(
    rf"(?:[+＋](?:{_GAP}\d){{8,15}}"
    # Dialled from here: 00852 5123 4567. A number that was filled up with zeros to ten digits is none.
    rf"|(?<![0-9A-Za-z:.,])00(?:1(?:{_GAP}\d){{10}}|[2-9](?:{_GAP}\d){{8,13}})){_END}"
)
_AMERICAN: Final = re.compile(
    # As half the world writes one at home: 212-555-7890, (212) 555-7890. Blanks alone may part three measures.
    rf"(?<![0-9A-Za-z])(?<!\d\*{{4}}){_NO_DATE}(?:[(（][2-9]\d\d[)）][-.\s]?|[2-9]\d\d[-.])\d{{3}}[-.\s]\d{{4}}{_END}"
)
_NAMED: Final = "[单编序备账户工]号|[工订]单|流水|合同|金额"
"""What a number of eight digits belongs to that is nobody's telephone."""
_LOCAL: Final = re.compile(
    # A landline as its own town writes it: 6538 1234, 65381234. Dates, amounts and identifiers are none.
    rf"(?<!{_NAMED})(?<!(?:{_NAMED})[:： ])"
    r"(?<![0-9A-Za-z０-９.,:/_+*#￥¥$€-])(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d))"
    r"[2-8]\d{3}[ -]?\d{4}(?![0-9A-Za-z０-９%_*]|[-./:,]\d|\s?(?:元|块|米|公里|件|个|次|ms|kg|km|m\b))"
)
_SUSPECT: Final = re.compile(r"\d(?:\D{0,2}\d){7}|://|(?i:bearer)")
"""What every text has that any of these finds something in: most have nothing of it and are looked at once."""
_IDENTIFIER: Final = re.compile(
    rf"{OUR_ID.pattern}|(?<![0-9A-Za-z])(?:[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}"
    r"|(?=[0-9]*[a-fA-F])[0-9a-fA-F]{32,})(?![0-9A-Za-z])"
)
"""Identifiers of ours, UUIDs and digests: the digits of one in a thousand look like a number."""
_LARGEST_PLAIN: Final = 1e16
"""From here on Python writes a float with an exponent."""
_FEWEST_DIGITS: Final = 7
"""A subscriber's number has at least so many; `phone_attempts: 3` is none."""
_BEFORE_AT: Final = re.compile(r"(?<![^\s@])[^\s@]++(?=@)")
"""What stands before an `@`, from the last blank or `@` on: looked at once, however often it begins anew."""
_USER: Final = re.compile(r"://[^:/]*+:(?=.)", re.DOTALL)
_PHONE_FIELD: Final = re.compile(r"(?i)phone|mobile|telephone|电话|手机|座机|固话|联系方式")
_BEARER: Final = re.compile(r"(?i)(bearer\s+)\S+")
_OTHER: Final = re.compile(r"\D")
_DIGIT: Final = re.compile(r"\d")
_AS_DIGITS: Final = str.maketrans("〇零一二三四五六七八九幺两０１２３４５６７８９", "00123456789120123456789")
_MOBILE_LENGTH: Final = 11
_SHORT_AREAS: Final = (1, 2)
"""010, 021: what area codes of three digits begin with."""
_LOCAL_LENGTH: Final = 8
"""Of any number but a mobile one: people leave country and area out."""


def mask_phone(number: str) -> str:
    """Return a phone number masked: `138****0000`."""
    digits = _OTHER.sub("", number)
    if len(digits) < 8:  # noqa: PLR2004 - shorter than any subscriber number: nothing of it is shown
        return "****"
    local = digits[2:] if digits.startswith("86") and len(digits) == 13 else digits  # noqa: PLR2004
    return f"{local[:3]}****{local[-4:]}"


def mask_text(text: str) -> str:
    """Mask every phone number in a text, and remove passwords of addresses and bearer tokens.

    Identifiers of ours, UUIDs and digests stay as they are.
    """
    if not _SUSPECT.search(text):
        return text
    text = _BEFORE_AT.sub(_without_password, text) if "@" in text else text
    text = _BEARER.sub(r"\1****", text)
    return _between_ids(_mask_numbers, text) if _IDENTIFIER.search(text) else _mask_numbers(text)


def _without_password(found: re.Match[str]) -> str:
    """The password of an address, hidden: `redis://user:****@host`."""
    user = _USER.search(found[0])
    return found[0] if user is None else f"{found[0][: user.end()]}****"


def _between_ids(mask: Callable[[str], str], text: str) -> str:
    masked: list[str] = []
    rest = 0
    for found in _IDENTIFIER.finditer(text):
        masked += (mask(text[rest : found.start()]), found[0])
        rest = found.end()
    return "".join((*masked, mask(text[rest:])))


def _mask_numbers(text: str) -> str:
    text = _MOBILE.sub(_mobile, text)
    text = _LANDLINE.sub(_landline, text)
    text = _INTERNATIONAL.sub(lambda found: mask_phone(found[0]), text)
    text = _AMERICAN.sub(lambda found: mask_phone(found[0]), text)
    return _LOCAL.sub(lambda found: mask_phone(found[0]), text)


def _mobile(found: re.Match[str]) -> str:
    digits = _OTHER.sub("", found[0])[-_MOBILE_LENGTH:]
    return f"{digits[:3]}****{digits[-4:]}"


def _landline(found: re.Match[str]) -> str:
    digits = _OTHER.sub("", found[0])
    area = 3 if int(digits[1]) in _SHORT_AREAS else 4
    return f"{digits[:area]}****{digits[-4:]}"


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A known number, found however it is written: with anything between its digits, or in words.

    Attributes:
        number: In clear; nothing is found where it is masked.
        shown: What stands in its place.
    """

    number: str = field(repr=False)
    shown: str

    def mask(self, value: object) -> Any:
        """Mask the number in a JSON value, at any depth."""
        sought = self._sought()
        return value if sought is None else self._masked(value, sought)

    def _sought(self) -> str | None:
        if "*" in self.number:
            return None
        digits = _OTHER.sub("", self.number).removeprefix("86" if self.number.startswith("+86") else "")
        mobile = len(digits) == _MOBILE_LENGTH and digits.startswith("1") and self.number.startswith("+86")
        sought = digits if mobile else digits[-_LOCAL_LENGTH:]
        return sought if len(sought) >= _FEWEST_DIGITS else None

    def _masked(self, value: object, sought: str) -> Any:
        match value:
            case str():
                return self._out_of(value, sought)
            case Mapping():
                return {
                    self._out_of(str(name), sought): self._masked(inner, sought)
                    for name, inner in value.items()
                }
            case list() | tuple():
                return [self._masked(inner, sought) for inner in value]
            case int() | float() if not isinstance(value, bool) and sought in _digits_of(value):
                return self.shown
            case _:
                return value

    def _out_of(self, text: str, sought: str) -> str:
        if len(text) < _FEWEST_DIGITS or (text.isascii() and sought[0] not in text):
            return text
        plain = text if text.isascii() else text.translate(_AS_DIGITS)
        digits = _OTHER.sub("", plain)
        if sought not in digits:
            return text
        places = [found.start() for found in _DIGIT.finditer(plain)]
        masked: list[str] = []
        rest, at = 0, digits.find(sought)
        while at >= 0:
            masked += (text[rest : places[at]], self.shown)
            rest = places[at + len(sought) - 1] + 1
            at = digits.find(sought, at + len(sought))
        return "".join((*masked, text[rest:]))


def mask_json(value: object, *, field: str = "") -> Any:
    """Mask every phone number in a JSON value, at any depth, in names of fields too.

    A number is recognised by its form; under a field that is named for phones, whatever its form.
    """
    return _masked_json(value, of_phone=_PHONE_FIELD.search(field) is not None)


def _masked_json(value: object, *, of_phone: bool) -> Any:
    """The same; a field's name is looked at once, however many values stand under it."""
    match value:
        case Mapping():
            return {
                mask_text(str(name)): _masked_json(inner, of_phone=_PHONE_FIELD.search(str(name)) is not None)
                for name, inner in value.items()
            }
        case list() | tuple():
            return [_masked_json(inner, of_phone=of_phone) for inner in value]
        case None | bool():
            return value
        case int() | float():
            digits = _digits_of(value)
            masked = _masked_under(digits, of_phone=of_phone)
            return value if masked == digits else masked
        case _:
            return _masked_under(str(value), of_phone=of_phone)


def _digits_of(number: float) -> str:
    """A number as people would read it: 13800138000.0 has eleven digits."""
    return str(number).removesuffix(".0") if abs(number) < _LARGEST_PLAIN else f"{number:.0f}"


def _masked_under(text: str, *, of_phone: bool) -> str:
    masked = mask_text(text)
    if of_phone and "*" not in masked and sum(map(str.isdigit, masked)) >= _FEWEST_DIGITS:
        return mask_phone(masked)
    return masked
