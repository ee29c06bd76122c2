"""The text of refused input: as it may be shown, and with the number that came put back into a correction."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from runtime.mask import mask_phone, mask_text

_PHONE: Final = re.compile(r'(\\?"phone\\?"\s*:\s*\\?")([^"\\]*)')
"""The customer's number even in what is no JSON, or JSON within JSON."""

_LONGEST_NAME: Final = 200
"""Characters of a field's name that are shown."""
_LONGEST_MASKED: Final = 2000


def shown(payload: str) -> str:
    """A refused payload as it may be shown: every phone number masked, and encodable whatever came."""
    try:
        document = json.loads(payload)
        text = json.dumps(_masked(document), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = _masked_text(payload)
    return text.encode(errors="backslashreplace").decode()


def with_number(corrected: Any, payload: str) -> Any:
    """A corrected document with the number that came wherever it was left as it was shown."""
    return _with_number(corrected, _number_of(payload))


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


def _masked(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {_named(key): _masked(inner, key) for key, inner in value.items()}
        case list():
            return [_masked(inner, name) for inner in value]
        case str():
            return _mask(value) if name == "phone" else _masked_text(value)
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


def _masked_text(text: str) -> str:
    return mask_text(_PHONE.sub(lambda found: found[1] + _mask(found[2]), text))


def _mask(number: str) -> str:
    """A number that is masked already stays as it is."""
    return number if "*" in number else mask_phone(number)
