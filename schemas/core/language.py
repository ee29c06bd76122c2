"""The languages in which people are answered."""

from enum import StrEnum


class Language(StrEnum):
    """A language of the pages and reports; the value is its tag."""

    CHINESE = "zh"
    ENGLISH = "en"


def language_of(accept_language: str | None) -> Language:
    """The one of ours that a reader likes best, by the header `Accept-Language`; Chinese where it names none."""
    best, most = Language.CHINESE, 0.0
    for part in (accept_language or "").split(","):
        tag, _, weight = part.partition(";")
        liked = _weight(weight)
        name = tag.strip().lower().partition("-")[0]
        if name in frozenset(Language) and liked > most:
            best, most = Language(name), liked
    return best


def _weight(given: str) -> float:
    """The `q` of a language; one where it has none, nothing where it is no number."""
    name, _, value = given.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
