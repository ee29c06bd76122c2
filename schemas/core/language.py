"""The languages that people are spoken to in."""

from enum import StrEnum


class Language(StrEnum):
    """A language of pages, questions and titles; the value is the one in `Accept-Language`."""

    CHINESE = "zh"
    ENGLISH = "en"


def language_of(accept_language: str | None) -> Language:
    """The language that somebody asks for with `Accept-Language` (RFC 9110 §12.5.4); Chinese where it names neither."""
    weighed: list[tuple[float, int, Language]] = []
    for place, offered in enumerate((accept_language or "").lower().split(",")):
        name, _, weight = offered.partition(";")
        main = name.strip().partition("-")[0]
        if main in list(Language):
            weighed.append((-_weight(weight), place, Language(main)))
    return min(weighed)[2] if weighed and min(weighed)[0] < 0 else Language.CHINESE


def _weight(given: str) -> float:
    name, _, value = given.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
