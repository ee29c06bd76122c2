"""Finds the follow-up date in what a customer said, from mentions and their context."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tools.calendar import Calendar
from tools.dates.candidate import Candidate, agree, beside, join
from tools.dates.mentions import absence, festival, lunar, month, name, relative, week
from tools.dates.mentions.clock import TimeMention, TimeWindow
from tools.dates.mentions.mention import Days, Mention, Moment, find
from tools.dates.mentions.wording import NormalText, reword
from tools.dates.reading import Ambiguity, Ambiguous, DateReading, NoDate, Precision, Reading
from tools.dates.reference import refer
from tools.dates.weighing import BESIDE, FoundTime, WeighedMentions, find_times_beside, weigh
from tools.span import Span, SpanKind

FARTHEST: Final = timedelta(days=90)
"""A date further ahead goes to a person: a misheard year costs more than a look."""

_RULES: Final = (
    *name.RULES,
    *absence.RULES,
    *festival.RULES,
    *lunar.RULES,
    *month.RULES,
    *week.RULES,
    *relative.RULES,
)
_ONE_DAY: Final = timedelta(days=1)
_NEAR: Final = 5
_AVAILABLE: Final = re.compile(
    r"[^,，。;；!！?？]{0,4}?"
    r"(?:来|打|联系|可以|都行|就行|在家|都在|有空|再|上门|方便|约|过去|安排|能?行|没问题)(?!过|电话来)",
)


def parse(text: str, *, now: datetime, zone: ZoneInfo, calendar: Calendar | None) -> Reading:
    """Return the follow-up date that the text names.

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
    return _look(text, now, zone, calendar).reading()


def date_spans(text: str, *, now: datetime, zone: ZoneInfo, calendar: Calendar | None) -> list[Span]:
    """Return the words of the text that `parse` weighs, each with what it names: dates, times of day, doubts.

    Raises:
        ValueError: `now` is naive.
    """
    return _look(text, now, zone, calendar).spans()


@dataclass(frozen=True, slots=True)
class _Look:
    """What a text names of dates, before it is brought to one."""

    wording: NormalText
    moment: Moment
    mentions: list[Mention]
    said: WeighedMentions
    times: list[TimeMention]

    def reading(self) -> Reading:
        """The date, none, or why a person must decide."""
        if not self.mentions:
            return _of_time_alone(self.wording, self.moment, self.times, self.said)
        return _settle(self.wording, self.moment, self.said, self.times)

    def spans(self) -> list[Span]:
        """Where the words stand that lead to the reading."""
        found = [(each.start, each.end, _in_iso(each.days)) for each in self.said.candidates]
        found += [(start, end, reason.value) for reason, start, end in self.said.troubles]
        for time in self.times:
            opens, closes = time.window
            found.append((time.start, time.end, f"{opens:%H:%M}/{closes:%H:%M}"))
        return sorted(
            Span(*self.wording.place(start, end), SpanKind.DATE, label)
            for start, end, label in found
            if start < end
        )


def _look(text: str, now: datetime, zone: ZoneInfo, calendar: Calendar | None) -> _Look:
    if now.utcoffset() is None:
        raise ValueError("the moment of speaking carries no time zone; moments are aware datetimes")
    wording = reword(text)
    moment = Moment(now.astimezone(zone), calendar)
    mentions = join(wording.text, refer(wording.text, find(wording.text, _RULES, moment)))
    found = find_times_beside(wording.text, mentions)
    said = weigh(wording.text, mentions, found, moment)
    return _Look(wording, moment, mentions, said, _times(wording.text, found, said))


def _in_iso(days: Days) -> str:
    return f"{days.earliest}/{days.latest}" if days.latest > days.earliest else str(days.earliest)


def _times(text: str, times: list[FoundTime], said: WeighedMentions) -> list[TimeMention]:
    """Return the times of day that are neither excluded, nor past, nor beside a mention set aside."""
    kept: list[TimeMention] = []
    for found in times:
        at, before = found.time, found.after
        if before is not None and before in said.aside and at.start - before.end <= _NEAR:
            continue
        touching = found.touching or bool(kept and BESIDE.fullmatch(text, kept[-1].end, at.start))
        plain = at.exact or touching or (at.of_day and _AVAILABLE.match(text, at.end))
        if plain and not (found.excluded or found.in_past):
            kept.append(at)
    return kept


def _settle(wording: NormalText, moment: Moment, said: WeighedMentions, times: list[TimeMention]) -> Reading:
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


def _of_time_alone(
    wording: NormalText, moment: Moment, times: list[TimeMention], said: WeighedMentions
) -> Reading:
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


def _matched(wording: NormalText, candidates: list[Candidate], times: list[TimeMention]) -> str:
    parts: list[tuple[int, int]] = []
    spans: list[Candidate | TimeMention] = [*candidates, *times]
    for start, end in sorted((span.start, span.end) for span in spans):
        if parts and start <= parts[-1][1] + 1:
            parts[-1] = (parts[-1][0], max(parts[-1][1], end))
        else:
            parts.append((start, end))
    return " … ".join(wording.original(start, end) for start, end in parts)
