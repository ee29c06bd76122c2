"""The date in what a customer said: the grammar's mentions, weighed by their context and brought together."""

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tools.calendar import Calendar
from tools.dates import festival, month, relative, week
from tools.dates.candidate import Candidate, agree, beside, join
from tools.dates.clock import TimeMention, TimeWindow, find_times
from tools.dates.context import Context, read_context
from tools.dates.mention import Days, Dismissed, Mention, Moment, find
from tools.dates.reading import Ambiguity, Ambiguous, DateReading, NoDate, Precision, Reading
from tools.dates.wording import Wording, reword

FARTHEST: Final = timedelta(days=90)
"""A date further ahead goes to a person: a misheard year costs more than a look."""

_RULES: Final = (*festival.RULES, *month.RULES, *week.RULES, *relative.RULES)
_ONE_DAY: Final = timedelta(days=1)
_NEAR: Final = 5
_BESIDE: Final = re.compile(r"[的,，、 ]?(?:或者?|和|大概|大约|差不多)?")
_AVAILABLE: Final = re.compile(
    r"[^,，。;；!！?？]{0,4}?"
    r"(?:来|打|联系|可以|都行|就行|在家|都在|有空|再|上门|方便|约|过去|安排|能?行|没问题)(?!过|电话来)",
)


def parse(text: str, *, now: datetime, zone: ZoneInfo, calendar: Calendar | None) -> Reading:
    """Return the date that the text names for following up.

    Dates are read forward: a day of the month that has passed is next month's, a bare weekday the coming one.
    What the customer excludes (明天没空) or tells of the past (上周报的修) is left aside. Nothing is returned
    rather than a guess; contradictions, corrections, deadlines, dates that disagree and dates more than 90
    days ahead are `Ambiguous`.

    Args:
        text: The customer's words.
        now: When they were said, aware.
        zone: The customer's time zone.
        calendar: Knows the festivals and working days; without it festivals are not read.

    Raises:
        ValueError: `now` is naive.
    """
    if now.utcoffset() is None:
        raise ValueError("the moment of speaking carries no time zone; moments are aware datetimes")
    wording = reword(text)
    moment = Moment(now.astimezone(zone), calendar)
    mentions = join(wording.text, find(wording.text, _RULES, moment))
    found = _found_times(wording.text, mentions)
    said = _weigh(wording.text, mentions, found, moment)
    times = _times(wording.text, found, said)
    return (
        _of_time_alone(wording, moment, times, said)
        if not mentions
        else _settle(wording, moment, said, times)
    )


@dataclass(slots=True)
class _Said:
    """What the mentions amount to.

    Attributes:
        candidates: Dates the customer may mean.
        troubles: Why a person must look, with the words, in the order they were said.
        aside: Mentions that were set aside; the times beside them are as well.
    """

    candidates: list[Candidate] = field(default_factory=list)
    troubles: list[tuple[Ambiguity, int, int]] = field(default_factory=list)
    aside: list[Mention] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _FoundTime:
    """A time of day in its context: the mention before it, and whether it stands right beside that one."""

    time: TimeMention
    after: Mention | None
    touching: bool
    excluded: bool
    told: bool


def _weigh(text: str, mentions: list[Mention], times: list[_FoundTime], moment: Moment) -> _Said:
    said = _Said()
    for place, mention in enumerate(mentions):
        previous_end = mentions[place - 1].end if place else 0
        next_start = mentions[place + 1].start if place + 1 < len(mentions) else len(text)
        context = read_context(text, mention.start, mention.end, previous_end, next_start)
        if context.excluded and _only_a_part_is_excluded(mention, times):
            context = replace(context, excluded=False)
        trouble = _trouble(mention, context)
        days = _in_context(mention, context, moment)
        if trouble is not None:
            said.troubles.append((trouble, mention.start, context.end))
        elif days is not None:
            said.candidates.append(Candidate(mention.start, context.end, days, mention.rule))
        else:
            said.aside.append(mention)
    return said


def _trouble(mention: Mention, context: Context) -> Ambiguity | None:
    if mention.meaning is Dismissed.NOT_A_DATE or context.told:
        return None
    if context.corrected:
        return Ambiguity.CORRECTION
    if context.excluded:
        return None
    if mention.meaning is Dismissed.UNCLEAR_FESTIVAL:
        return Ambiguity.UNCLEAR_FESTIVAL
    return Ambiguity.DEADLINE if context.until or mention.meaning is Dismissed.DEADLINE else None


def _in_context(mention: Mention, context: Context, moment: Moment) -> Days | None:
    """Return the days as the words around them have it, or None where they are not to be followed up."""
    days = mention.meaning
    if isinstance(days, Dismissed) or context.told or days.latest < moment.today:
        return None
    days = replace(days, earliest=max(days.earliest, moment.today))
    day_after = Days(days.latest + _ONE_DAY, days.latest + _ONE_DAY, not_before=True)
    if context.excluded:
        # 25号之前没空 and 到25号都没空 name the first day that may do.
        if context.until:
            return replace(days, latest=days.earliest, not_before=True)
        return day_after if context.up_to else None
    if context.after and days.whole:
        return day_after
    if context.around:
        days = replace(days, latest=days.latest + _ONE_DAY, precision=Precision.APPROXIMATE)
    open_end = days.not_before or context.after or context.starting or context.not_before
    return replace(days, not_before=open_end)


def _found_times(text: str, mentions: list[Mention]) -> list[_FoundTime]:
    times = find_times(_without(text, mentions))
    found = []
    for place, at in enumerate(times):
        before = next((mention for mention in reversed(mentions) if mention.end <= at.start), None)
        limits = [mention.start for mention in mentions if mention.start >= at.end]
        limits += [later.start for later in times[place + 1 : place + 2]]
        context = read_context(
            text, at.start, at.end, before.end if before else 0, min(limits, default=len(text))
        )
        touching = before is not None and _BESIDE.fullmatch(text, before.end, at.start) is not None
        found.append(_FoundTime(at, before, touching, context.excluded, context.told))
    return found


def _only_a_part_is_excluded(mention: Mention, times: list[_FoundTime]) -> bool:
    """Whether another part of the day is offered instead: 明天上午不行，下午可以."""
    of_mention = [found for found in times if found.after is mention]
    return any(found.touching and found.excluded for found in of_mention) and not of_mention[-1].excluded


def _times(text: str, times: list[_FoundTime], said: _Said) -> list[TimeMention]:
    """Return the times of day that are neither excluded, nor past, nor beside a mention set aside."""
    kept: list[TimeMention] = []
    for found in times:
        at, before = found.time, found.after
        if before is not None and before in said.aside and at.start - before.end <= _NEAR:
            continue
        touching = found.touching or bool(kept and _BESIDE.fullmatch(text, kept[-1].end, at.start))
        plain = at.exact or touching or (at.of_day and _AVAILABLE.match(text, at.end))
        if plain and not (found.excluded or found.told):
            kept.append(at)
    return kept


def _without(text: str, mentions: list[Mention]) -> str:
    """Return the text with each mention blotted out, so that 周三三点 has the hour 三 and not 三三."""
    for mention in mentions:
        text = text[: mention.start] + "日" * (mention.end - mention.start) + text[mention.end :]
    return text


def _settle(wording: Wording, moment: Moment, said: _Said, times: list[TimeMention]) -> Reading:
    """Bring the candidates to one date, or tell why a person must."""
    every = [(candidate.start, candidate.end) for candidate in said.candidates]
    every += [(start, end) for _, start, end in said.troubles]
    matches = tuple(wording.original(*span) for span in sorted(every))
    if said.troubles:
        reasons = [reason for reason, _, _ in said.troubles]
        corrected = Ambiguity.CORRECTION in reasons
        return Ambiguous(Ambiguity.CORRECTION if corrected else reasons[0], matches)
    if not said.candidates:
        return NoDate()
    chosen = said.candidates[0]
    for candidate in said.candidates[1:]:
        agreed = agree(wording.text, chosen, candidate)
        if agreed is None:
            near = beside(wording.text, chosen, candidate)
            contradiction = near and chosen.rule != candidate.rule
            return Ambiguous(Ambiguity.CONTRADICTION if contradiction else Ambiguity.SEVERAL_DATES, matches)
        chosen = agreed
    if any(found.deadline for found in times):
        return Ambiguous(Ambiguity.DEADLINE, matches)
    days = chosen.days
    if days.precision is Precision.YEAR or days.earliest - moment.today > FARTHEST:
        return Ambiguous(Ambiguity.TOO_FAR, matches)
    return DateReading(
        earliest=days.earliest,
        latest=days.latest,
        time_window=_window(times),
        precision=days.precision,
        not_before=days.not_before,
        matched=_matched(wording, said.candidates, times),
        rule=chosen.rule,
    )


def _of_time_alone(wording: Wording, moment: Moment, times: list[TimeMention], said: _Said) -> Reading:
    """A time without a date is the next time the clock shows it: today, or tomorrow when it is past."""
    if not times:
        return NoDate()
    window = _window(times)
    if window is None or times[0].deadline:
        matches = tuple(wording.original(found.start, found.end) for found in times)
        return Ambiguous(Ambiguity.DEADLINE if times[0].deadline else Ambiguity.SEVERAL_DATES, matches)
    day = moment.today if moment.now.time() < window[1] else moment.today + _ONE_DAY
    matched = _matched(wording, said.candidates, times)
    return DateReading(day, day, window, Precision.DAY, not_before=False, matched=matched, rule="time")


def _window(times: list[TimeMention]) -> TimeWindow | None:
    """Return the span that all times share; None where there is none, or they exclude one another."""
    if not times:
        return None
    opens, closes = max(found.window[0] for found in times), min(found.window[1] for found in times)
    return (opens, closes) if opens < closes else None


def _matched(wording: Wording, candidates: list[Candidate], times: list[TimeMention]) -> str:
    parts: list[tuple[int, int]] = []
    spans: list[Candidate | TimeMention] = [*candidates, *times]
    for start, end in sorted((span.start, span.end) for span in spans):
        if parts and start <= parts[-1][1] + 1:
            parts[-1] = (parts[-1][0], max(parts[-1][1], end))
        else:
            parts.append((start, end))
    return " … ".join(wording.original(start, end) for start, end in parts)
