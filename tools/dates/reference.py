"""Resolves mentions that depend on an earlier one: 放完假 after a named festival, 再下周 after a week."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Final

from tools.dates.context import CLAUSE_END
from tools.dates.mentions.mention import Days, Meaning, Mention, Undated

_SENTENCE_END: Final = re.compile(r"[。！？!?\n]")
_NAMED: Final = frozenset({"festival", "new_year", "lunar_day"})
_LAST_YEAR: Final = 3000
"""Nothing is counted on from a later one, lest a long chain of words leave the calendar."""
_ONE_DAY: Final = timedelta(days=1)


def refer(text: str, mentions: list[Mention]) -> list[Mention]:
    """Return the mentions with the dependent ones resolved."""
    read: list[Mention] = []
    festival: Mention | None = None
    days: Days | None = None
    for original in mentions:
        if original.rule == "absence":
            read.append(_begun(text, original, read))
            continue
        mention = _moved_on(original, days)
        if festival is not None and read and _SENTENCE_END.search(text, read[-1].end, mention.start):
            festival = None
        if mention.rule == "unnamed_festival" and festival is not None:
            mention = replace(mention, meaning=_after(festival.meaning, mention.meaning), rule=festival.rule)
            if read[-1] is festival:
                # 五一我不在，放完假再来 is one date, whatever is said of the festival itself.
                mention = replace(mention, start=read.pop().start)
        if mention.rule in _NAMED:
            festival = mention
        days = mention.meaning if isinstance(mention.meaning, Days) else days
        read.append(mention)
    return read


def _after(festival: Meaning, unnamed: Meaning) -> Meaning:
    """Return what 放完假 means where that festival was named, or 放假前."""
    if unnamed is Undated.DEADLINE:
        return unnamed
    if isinstance(festival, Undated) or festival.not_before:
        return festival
    day = festival.latest + _ONE_DAY
    return Days(day, day, not_before=True)


def _begun(text: str, absence: Mention, before: list[Mention]) -> Mention:
    """Return the absence from the day that its clause names for its beginning: 下周出差三天.

    The day itself is part of it then, and no date of its own.
    """
    if not before or CLAUSE_END.search(text, before[-1].end, absence.start):
        return absence
    begins, days = before[-1].meaning, absence.meaning
    if isinstance(begins, Undated):
        return replace(absence, meaning=begins)
    if not isinstance(days, Days) or days.beyond is None or begins.earliest.year > _LAST_YEAR:
        return absence
    first = days.beyond(begins.earliest)
    if not begins.not_before and begins.latest >= first.earliest:
        first = replace(first, earliest=begins.latest + _ONE_DAY, latest=begins.latest + _ONE_DAY)
    return replace(absence, start=before.pop().start, meaning=first)


def _moved_on(mention: Mention, named: Days | None) -> Mention:
    """Return 再下周 as the week after the one named before, 下下周 at least."""
    days = mention.meaning
    if not isinstance(days, Days) or days.beyond is None or named is None or named.earliest.year > _LAST_YEAR:
        return mention
    later = days.beyond(named.earliest)
    return mention if later.earliest <= days.earliest else replace(mention, meaning=later)
