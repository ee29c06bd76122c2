"""The text of refused input: as it may be shown, and with what was masked put back into a correction."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from runtime.mask import mask_phone, mask_text
from runtime.personal import HIDDEN, PersonalFields

_PHONE: Final = re.compile(r'(\\?"phone\\?"\s*:\s*\\?")([^"\\]*)')
"""The customer's number even in what is no JSON, or JSON within JSON."""
_FIELD: Final = re.compile(
    r'"(?P<name>(?:[^"\\]|\\u[0-9a-fA-F]{4}){1,64})\\{0,3}"\s{0,9}:\s{0,9}'
    # To the next quote where the first was escaped: JSON within JSON.
    r'(?:(?P<quote>\\{1,3}")(?P<inner>[^"\\]*)|"(?P<text>(?:[^"\\]|\\.)*)|(?P<bare>[^\s"\\,\[\]{}]+))',
    re.DOTALL,
)
"""A field with its value in what is no JSON, or JSON within JSON."""

_LONGEST_NAME: Final = 200
"""Characters of a field's name that are shown."""
_LONGEST_MASKED: Final = 2000


def shown(payload: str, personal: PersonalFields) -> str:
    """A refused payload as it may be shown: numbers and personal fields masked, and encodable whatever came."""
    try:
        document = personal.mask(json.loads(payload))
        text = json.dumps(_masked(document, personal), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = _masked_text(payload, personal)
    return text.encode(errors="backslashreplace").decode()


def with_what_came(corrected: Any, payload: str, personal: PersonalFields) -> Any:
    """A corrected document with the number and the personal values that came, wherever they were left as shown."""
    with suppress(ValueError, RecursionError):
        corrected = _with_personal(corrected, json.loads(payload), personal)
    return _with_number(_with_values(corrected, _told(payload, personal)), _number_of(payload))


def _with_personal(corrected: Any, came: Any, personal: PersonalFields) -> Any:
    """What is left as it was shown at a place, as it came there."""
    match corrected, came:
        case Mapping(), Mapping():
            return {
                name: came[name]
                if name in came and personal.holds(name) and inner == personal.mask_value(name, came[name])
                else _with_personal(inner, came.get(name), personal)
                for name, inner in corrected.items()
            }
        case list(), list():
            further = corrected[len(came) :]
            return [_with_personal(*pair, personal) for pair in zip(corrected, came, strict=False)] + further
        case _:
            return corrected


def _told(payload: str, personal: PersonalFields) -> dict[str, str]:
    """The personal values in what is no JSON, or JSON within JSON, by the names of their fields.

    A name that has several is left out: which of them is meant is not known.
    """
    told: dict[str, set[str]] = {}
    for found in _FIELD.finditer(payload):
        name, value = _plain(found["name"]), found["inner"] or found["text"]
        if value and personal.holds(name):
            told.setdefault(name, set()).add(_plain(value))
    return {name: values.pop() for name, values in told.items() if len(values) == 1}


def _with_values(corrected: Any, came: Mapping[str, str]) -> Any:
    """What is left hidden, as it came in a field of the same name."""
    match corrected:
        case Mapping():
            return {
                name: came[name] if inner == HIDDEN and name in came else _with_values(inner, came)
                for name, inner in corrected.items()
            }
        case list():
            return [_with_values(inner, came) for inner in corrected]
        case _:
            return corrected


def _with_number(corrected: Any, number: str | None, name: str = "") -> Any:
    match corrected:
        case Mapping():
            return {key: _with_number(inner, number, str(key)) for key, inner in corrected.items()}
        case str() if name == "phone" and number is not None and corrected == _mask(number):
            return number
        case _:
            return corrected


def _number_of(payload: str) -> str | None:
    """The customer's number as it came, even in what is no JSON."""
    try:
        number = json.loads(payload)["metadata"]["phone"]
    except (ValueError, TypeError, KeyError, RecursionError):
        found = _PHONE.search(payload)
        return found[2] if found else None
    return str(number) if isinstance(number, (str, int)) else None


def _masked(value: Any, personal: PersonalFields, name: str = "") -> Any:
    match value:
        case dict():
            return {_named(key): _masked(inner, personal, key) for key, inner in value.items()}
        case list():
            return [_masked(inner, personal, name) for inner in value]
        case str():
            return _mask(value) if name == "phone" else _masked_text(value, personal)
        case bool() | None:
            return value
        case int():
            digits = _mask(str(value)) if name == "phone" else mask_text(str(value))
            return value if digits == str(value) else digits
        case _:
            return value


def _named(name: str) -> str:
    """A field's name as it is shown; cut far behind that first, so that no half of a number is left at the end."""
    return mask_text(name[:_LONGEST_MASKED])[:_LONGEST_NAME]


def _masked_text(text: str, personal: PersonalFields) -> str:
    text = _FIELD.sub(lambda found: _without_value(found, personal), text)
    return mask_text(_PHONE.sub(lambda found: found[1] + _mask(found[2]), text))


def _without_value(found: re.Match[str], personal: PersonalFields) -> str:
    """A field with its value hidden where it is personal."""
    if not personal.holds(_plain(found["name"])):
        return found[0]
    kind = next(kind for kind in ("inner", "text", "bare") if found[kind] is not None)
    return found[0][: found.start(kind) - found.start()] + (HIDDEN if found[kind] else "")


def _plain(text: str) -> str:
    """A text of JSON without its escapes; as it is where it is cut off in the middle of one."""
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text


def _mask(number: str) -> str:
    """A number that is masked already stays as it is."""
    return number if "*" in number else mask_phone(number)
