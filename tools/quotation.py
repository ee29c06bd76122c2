"""Quotations of a customer's words: kept as the place where they stand, worded when somebody entitled looks.

A reason for a review names the words that led to it. Steps, reviews and audit lines are read by many and kept in
clear, so they hold `…[12:15]`, the characters 12 to 15 of what the customer said in that contact, and not the words.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

_PLACE: Final = re.compile(r"…\[(\d{1,5}):(\d{1,5})\]")
_UNKNOWN: Final = "…"


def place_of(words: str, text: str) -> str:
    """Where the words stand in the text; three dots alone where they stand there in another form."""
    at = text.find(words) if words else -1
    return _UNKNOWN if at < 0 else f"…[{at}:{at + len(words)}]"


def worded(value: object, text: str) -> Any:
    """A JSON value with the words of the text in every place that it names, for who may hear them."""
    match value:
        case str():
            return _PLACE.sub(lambda found: text[int(found[1]) : int(found[2])] or found[0], value)
        case Mapping():
            return {name: worded(inner, text) for name, inner in value.items()}
        case list() | tuple():
            return [worded(inner, text) for inner in value]
        case _:
            return value
