"""Candidate dates: mentions joined to ranges, and compared with one another."""

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from tools.dates.mentions.mention import Days, Mention
from tools.dates.mentions.number import TO
from tools.dates.reading import Precision

_RANGE: Final = re.compile(rf"的?(?:{TO}|一直到|直到)")
_CHOICE: Final = re.compile(r"、|要么|和|跟|与|或者?是?|或|以及|及|/")
_APPOSITION: Final = re.compile(r"[,，、(（的是就\[【 ]{0,2}")
_ONE_DAY: Final = timedelta(days=1)
_WIDE: Final = frozenset({Precision.WEEK, Precision.MONTH})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A date the customer may mean, with its span of the text."""

    start: int
    end: int
    days: Days
    rule: str


def join(text: str, mentions: list[Mention]) -> list[Mention]:
    """Return the mentions with ranges (周一到周五) and neighbouring choices (周三或周四) made one."""
    joined: list[Mention] = []
    for mention in mentions:
        before = joined[-1] if joined else None
        together = _together(before, mention, text) if before is not None else None
        if together is None:
            joined.append(mention)
        else:
            joined[-1] = together
    return joined


def _together(first: Mention, second: Mention, text: str) -> Mention | None:
    if not isinstance(first.meaning, Days) or not isinstance(second.meaning, Days):
        return None
    a, between = first.meaning, text[first.end : second.start]
    b = (second.meaning.again(a.earliest) if second.meaning.again else None) or second.meaning
    follows = b.earliest > a.earliest
    neighbours = follows and b.earliest <= a.latest + _ONE_DAY
    is_range = follows and _RANGE.fullmatch(between) is not None
    is_choice = neighbours and (
        _CHOICE.fullmatch(between) is not None or (between == "" and first.rule == second.rule)
    )
    if not (is_range or is_choice):
        return None
    days = Days(a.earliest, max(a.latest, b.latest), Precision.RANGE, whole=True)
    rule = first.rule if first.rule == second.rule else f"{first.rule}+{second.rule}"
    return Mention(first.start, second.end, days, rule)


def agree(text: str, first: Candidate, second: Candidate) -> Candidate | None:
    """Return the one date that both name, or None where they name different ones.

    A bare weekday or day of the month gives way to a date beside it that fits (3月25号周三), and is looked
    for within a week or month that is named as well (下下周，周三).
    """
    days = _common(first.days, second.days)
    near = beside(text, first, second)
    # 两周后的周三 may be of that week or of the next: for a person to ask.
    counted = "duration" in (first.rule, second.rule)
    for floating, fixed in ((second.days, first.days), (first.days, second.days)):
        named = near or fixed.not_before or fixed.precision in _WIDE
        if days is None and floating.again and named and not counted:
            again = floating.again(fixed.earliest)
            days = _common(again, fixed) if again is not None else None
    if days is None:
        return None
    rule = first.rule if first.rule == second.rule else f"{first.rule}+{second.rule}"
    return Candidate(first.start, second.end, days, rule)


def beside(text: str, first: Candidate, second: Candidate) -> bool:
    """Return whether the second directly follows the first, as another name of the same day."""
    return _APPOSITION.fullmatch(text, first.end, second.start) is not None


def _common(a: Days, b: Days) -> Days | None:
    """Return the days in both; an open end reaches as far as the other wants."""
    earliest = max(a.earliest, b.earliest)
    latest = min(_end(a), _end(b))
    if latest < earliest:
        return None
    narrow = a if _end(a) - a.earliest <= _end(b) - b.earliest else b
    if a.not_before and b.not_before:
        return replace(narrow, earliest=earliest, latest=earliest)
    return replace(narrow, earliest=earliest, latest=latest, not_before=False)


def _end(days: Days) -> date:
    return date.max if days.not_before else days.latest
