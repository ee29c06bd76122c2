"""The languages that people read, and the words of each: a folder has a file for a language, with the same keys."""

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

_MOST_CHOICES: Final = 16
"""Languages of a header that are looked at."""


class Language(StrEnum):
    """A language of the words for people; the value is its code in ISO 639."""

    CHINESE = "zh"
    ENGLISH = "en"


def language_of(accept_language: str | None) -> Language:
    """The language that an `Accept-Language` header prefers (RFC 9110 §12.5.4); Chinese where it names none of ours."""
    best, weight = Language.CHINESE, 0.0
    for choice in (accept_language or "").split(",", _MOST_CHOICES)[:_MOST_CHOICES]:
        tag, _, parameter = choice.partition(";")
        name, wanted = tag.strip().lower().partition("-")[0], _weight_of(parameter)
        if name in (Language.CHINESE, Language.ENGLISH) and wanted > weight:
            best, weight = Language(name), wanted
    return best


def _weight_of(parameter: str) -> float:
    """The weight that a choice gives itself: 1 where it gives none, 0 where it cannot be read."""
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if name.strip() == "q" and 0 <= weight <= 1 else 0.0


@cache
def read_words(folder: Path, language: Language) -> Mapping[str, Any]:
    """All words of a language in this folder, as its file has them."""
    found: dict[str, Any] = yaml.load((folder / f"{language}.yaml").read_bytes(), Loader=yaml.CSafeLoader)
    return found
