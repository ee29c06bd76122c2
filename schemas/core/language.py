"""The languages that people are spoken to in."""

import re
from enum import StrEnum
from typing import Final

_RANGE: Final = re.compile(
    r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*[qQ]=([01](?:\.[0-9]{0,3})?)\s*)?"
)


class Language(StrEnum):
    """A language in which there are words for everything."""

    CHINESE = "zh"
    ENGLISH = "en"


def language_of(accept_language: str | None) -> Language:
    """Return the language that an `Accept-Language` header likes best (RFC 9110 §12.5.4); Chinese by default."""
    best, weight = Language.CHINESE, 0.0
    for each in (accept_language or "").split(","):
        found = _RANGE.fullmatch(each)
        if found is None:
            continue
        liked = 1.0 if found[2] is None else float(found[2])
        name = found[1].lower()
        if name in tuple(Language) and liked > weight:
            best, weight = Language(name), liked
    return best
