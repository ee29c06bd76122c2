"""Sorts mentions by context: candidate dates, reasons for review, and mentions to ignore."""

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from tools.dates.candidate import Candidate
from tools.dates.circumstance import without_circumstances
from tools.dates.context import DateContext, read_context
from tools.dates.mentions.clock import TimeMention, find_times
from tools.dates.mentions.mention import Days, Mention, Moment, Undated
from tools.dates.reading import Ambiguity, Precision

BESIDE: Final = re.compile(r"[的,，、 ]?(?:我们?)?(?:或者?|和|大概|大约|差不多)?")
"""What may stand between a date and its time of day."""

_SPOKEN: Final = re.compile("(?:就|你们|师傅|客服|他们?){0,2}(?:说(?!好了|一声|一下)|答应|承诺)")
"""After a part of the day: when something was said, and not when to come."""
_OUTAGE: Final = re.compile(r"[^,，。;；!！?？\n]{0,6}停[水电气]")
_ONE_DAY: Final = timedelta(days=1)
_TROUBLES: Final = {
    Undated.DEADLINE: Ambiguity.DEADLINE,
    Undated.UNCLEAR_FESTIVAL: Ambiguity.UNCLEAR_FESTIVAL,
    Undated.UNPLACED: Ambiguity.UNPLACED,
}


@dataclass(slots=True)
class WeighedMentions:
    """The result of weighing the mentions.

    Attributes:
        candidates: Dates the customer may mean.
        troubles: Why a person must look, with the words, in the order they were said.
        aside: Mentions that were set aside; the times beside them are as well.
        excluded: Those of them that are excluded, with their days.
    """

    candidates: list[Candidate] = field(default_factory=list)
    troubles: list[tuple[Ambiguity, int, int]] = field(default_factory=list)
    aside: list[Mention] = field(default_factory=list)
    excluded: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class FoundTime:
    """A time of day in its context: the mention before it, and whether it follows directly."""

    time: TimeMention
    after: Mention | None
    touching: bool
    excluded: bool
    in_past: bool


def weigh(text: str, mentions: list[Mention], times: list[FoundTime], moment: Moment) -> WeighedMentions:
    """Sort the mentions by their context."""
    said = WeighedMentions()
    for place, mention in enumerate(mentions):
        previous_end = mentions[place - 1].end if place else 0
        next_start = mentions[place + 1].start if place + 1 < len(mentions) else len(text)
        past_before = place > 0 and mentions[place - 1].meaning is Undated.PAST
        context = read_context(
            text, mention.start, mention.end, previous_end, next_start, past_before=past_before
        )
        context = _adjusted(context, mention, times, moment)
        trouble = _trouble(mention, context)
        days = _in_context(mention, context, moment)
        if trouble is not None:
            said.troubles.append((trouble, mention.start, context.end))
        elif days is not None:
            said.candidates.append(Candidate(mention.start, context.end, days, mention.rule))
        else:
            said.aside.append(mention)
            if context.excluded and not context.in_past and isinstance(mention.meaning, Days):
                said.excluded.append(Candidate(mention.start, mention.end, mention.meaning, mention.rule))
    said.candidates = without_circumstances(text, said.candidates, said.excluded)
    said.troubles += _contradictions(text, said, times)
    return said


def _adjusted(context: DateContext, mention: Mention, times: list[FoundTime], moment: Moment) -> DateContext:
    """Return the context with what is said of the time of day, and of a promise for today, taken for that."""
    if mention.rule == "absence":
        # What is impossible until it ends is part of it.
        context = replace(context, excluded=False, opens=False, until=False)
    if context.excluded and _only_a_part_is_excluded(mention, times):
        context = replace(context, excluded=False)
    if context.opens and any(found.touching and not found.time.of_day for found in _times_of(mention, times)):
        # 今晚七点我到家 opens that evening, and not the days from then on.
        context = replace(context, opens=False)
    days = mention.meaning
    is_today = isinstance(days, Days) and days.earliest == days.latest == moment.today
    return replace(context, in_past=True) if context.promised and is_today else context


def _times_of(mention: Mention, times: list[FoundTime]) -> list[FoundTime]:
    return [found for found in times if found.after is mention]


def _contradictions(
    text: str, said: WeighedMentions, times: list[FoundTime]
) -> list[tuple[Ambiguity, int, int]]:
    """Return the days that are offered in one place and excluded in another.

    A day without power is no day for a visit, and for one by an electrician it is the very day.
    """
    return [
        (Ambiguity.CONTRADICTION, excluded.start, excluded.end)
        for excluded in said.excluded
        if not _OUTAGE.match(text, excluded.end)
        and any(
            _takes_back(excluded, offered) and not _apart(excluded, offered, times)
            for offered in said.candidates
        )
    ]


def _takes_back(excluded: Candidate, offered: Candidate) -> bool:
    """Whether the same day is excluded, or any number of days that hold it are after it was offered."""
    if offered.days.not_before:
        return False
    same = (excluded.days.earliest, excluded.days.latest) == (offered.days.earliest, offered.days.latest)
    holds = excluded.days.earliest <= offered.days.earliest and offered.days.latest <= excluded.days.latest
    return same or (holds and excluded.start > offered.start)


def _apart(excluded: Candidate, offered: Candidate, times: list[FoundTime]) -> bool:
    """Whether they name parts of the day that do not meet: 明天上午不行，明天下午可以."""
    first, second = (
        [
            found.time.window
            for found in times
            if found.touching and found.after and found.after.start == start
        ]
        for start in (excluded.start, offered.start)
    )
    return any(a[1] <= b[0] or b[1] <= a[0] for a in first for b in second)


def _trouble(mention: Mention, context: DateContext) -> Ambiguity | None:
    if mention.meaning in (Undated.NOT_A_DATE, Undated.PAST) or context.in_past:
        return None
    if context.corrected:
        return Ambiguity.CORRECTION
    if context.excluded:
        return None
    if isinstance(mention.meaning, Undated):
        return _TROUBLES[mention.meaning]
    return Ambiguity.DEADLINE if context.until else None


def _in_context(mention: Mention, context: DateContext, moment: Moment) -> Days | None:
    """Return the days as the words around them have it, or None where they are not to be followed up."""
    days = mention.meaning
    if isinstance(days, Undated) or context.in_past or days.latest < moment.today:
        return None
    days = replace(days, earliest=max(days.earliest, moment.today))
    day_after = Days(days.latest + _ONE_DAY, days.latest + _ONE_DAY, not_before=True)
    if context.excluded:
        # 25号之前没空 and 到25号都没空 name the first day that may do.
        if context.until:
            return replace(days, latest=days.earliest, not_before=True)
        return day_after if context.up_to else None
    if context.through or (context.after and days.whole):
        return day_after
    if context.around:
        days = replace(days, latest=days.latest + _ONE_DAY, precision=Precision.APPROXIMATE)
    open_end = days.not_before or context.after or context.starting or context.not_before or context.opens
    return replace(days, not_before=open_end)


def find_times_beside(text: str, mentions: list[Mention]) -> list[FoundTime]:
    """Return the times of day, each with the mention before it."""
    times = find_times(_without(text, mentions))
    found = []
    for place, at in enumerate(times):
        before = next((mention for mention in reversed(mentions) if mention.end <= at.start), None)
        limits = [mention.start for mention in mentions if mention.start >= at.end]
        limits += [later.start for later in times[place + 1 : place + 2]]
        context = read_context(
            text, at.start, at.end, before.end if before else 0, min(limits, default=len(text))
        )
        touching = before is not None and BESIDE.fullmatch(text, before.end, at.start) is not None
        in_past = context.in_past or (at.of_day and _SPOKEN.match(text, at.end) is not None)
        found.append(FoundTime(at, before, touching, context.excluded, in_past))
    return found


def _only_a_part_is_excluded(mention: Mention, times: list[FoundTime]) -> bool:
    """Whether another part of the day is offered instead: 明天上午不行，下午可以."""
    of_mention = _times_of(mention, times)
    return any(found.touching and found.excluded for found in of_mention) and not of_mention[-1].excluded


def _without(text: str, mentions: list[Mention]) -> str:
    """Return the text with each mention blotted out, so that 周三三点 has the hour 三 and not 三三."""
    for mention in mentions:
        text = text[: mention.start] + "日" * (mention.end - mention.start) + text[mention.end :]
    return text
