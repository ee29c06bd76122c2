"""Days of the week: 周三, 这周五, 下下周一, 再下周, 拜五, 周六日, 周末, 下周, 下周初."""

import re
from dataclasses import replace
from datetime import date, timedelta
from re import Match
from typing import Final

from tools.dates.mentions.mention import DateRule, Days, Meaning, Moment, Undated, dismiss
from tools.dates.reading import Precision

_NUMBERS: Final = {char: value for value, char in enumerate("一二三四五六日")} | {
    "天": 6,
    "末": 5,
    **{str(value + 1): value for value in range(7)},
}
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_WHICH: Final = r"(?P<which>上上|上|这|本|再?下下下|再?下下|再?下|每)?(?:一?个)?"
_WEEK: Final = r"(?:(?<![姓老小])周|星期|礼拜)"
_ITS_DAY: Final = r"(?:(?<![姓老小])周|星期|礼拜|(?<![礼崇膜跪叩参祭求])拜)"
_PARTS: Final = {
    "初": (0, 1),
    "头": (0, 1),
    "中": (2, 3),
    "前半": (0, 2),
    "上半": (0, 2),
    "后半": (3, 6),
    "下半": (3, 6),
}


def _monday(day: date, weeks: int = 0) -> date:
    return day - timedelta(days=day.weekday()) + timedelta(days=7 * weeks)


def _offset(which: str) -> int:
    """Weeks from this one: 这 0, 下 1, 下下 2, 再下 2, 上 -1."""
    return which.count("下") + which.count("再") - which.count("上")


def next_weekday(start: date, weekday: int) -> date:
    """Return the first such weekday from `start` on, `start` included."""
    return start + timedelta(days=(weekday - start.weekday()) % 7)


def _weekdays(match: Match[str], moment: Moment) -> Meaning:
    numbers = [_NUMBERS[char] for char in match["days"].replace("、", "")]
    in_a_row = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    span = timedelta(days=len(numbers) - 1 if in_a_row else 0)
    precision = Precision.RANGE if span else Precision.DAY

    def coming(start: date) -> Days:
        # Of 周一三五 the one that comes first.
        first = min(next_weekday(start, number) for number in (numbers[:1] if in_a_row else numbers))
        return Days(first, first + span, precision, again=coming)

    which = match["which"] or ""
    if "上" in which:
        return Undated.PAST
    if which in ("", "每"):
        # A customer who means today says today; a bare weekday on that very day is next week's.
        return coming(moment.today + timedelta(days=1))
    first = _monday(moment.today, _offset(which)) + timedelta(days=numbers[0])
    if first + span < moment.today:
        return coming(moment.today)
    days = Days(first, first + span, precision)
    return _counted_on(days, which, numbers[0], numbers[0] + span.days)


def _counted_on(days: Days, which: str, first: int, last: int) -> Days:
    """Return the days; 再下周's can be counted from another week."""
    if "再" not in which:
        return days

    def beyond(named: date) -> Days:
        monday = _monday(named, 1)
        return replace(
            days, earliest=monday + timedelta(days=first), latest=monday + timedelta(days=last), beyond=None
        )

    return replace(days, beyond=beyond)


def _weekend(match: Match[str], moment: Moment) -> Meaning:
    which = match["which"] or ""
    if "上" in which:
        return Undated.PAST

    def coming(start: date) -> Days:
        sunday = next_weekday(start, _SUNDAY)
        return Days(max(start, sunday - timedelta(days=1)), sunday, Precision.RANGE, again=coming, whole=True)

    weeks = _offset(which)
    if weeks == 0:
        return coming(moment.today)
    saturday = _monday(moment.today, weeks) + timedelta(days=_SATURDAY)
    return Days(saturday, saturday + timedelta(days=1), Precision.RANGE, whole=True)


def _week(match: Match[str], moment: Moment) -> Meaning:
    which = match["which"]
    if "上" in which:
        return Undated.PAST
    if match["within"] and "下" not in which:
        return Undated.DEADLINE
    part = match["part"] or ""
    first, last = _PARTS.get(part[:2], _PARTS.get(part, (0, 6)))
    monday = _monday(moment.today, _offset(which))
    if monday + timedelta(days=last) < moment.today:
        monday += timedelta(days=7)
    days = Days(
        max(moment.today, monday + timedelta(days=first)),
        monday + timedelta(days=last),
        Precision.RANGE if match["part"] else Precision.WEEK,
        whole=True,
    )
    return _counted_on(days, which, first, last)


RULES: Final = (
    DateRule(
        "weekday",
        re.compile(
            rf"(?:(?<![一两三四五六七八九十几半\d])|(?<=[周期拜][一二三四五六日天])){_WHICH}{_ITS_DAY}"
            r"(?P<days>[一二三四五六日天](?:、?[二三四五六日天](?![点时号个台次天楼十])){0,2}|[1-7](?![\d.:天点]))"
            r"(?![次遍期拜]|回(?![来家去国到老])|[天个](?!半))",
        ),
        _weekdays,
    ),
    DateRule(
        "past_week",
        re.compile(r"上上?个?(?:周|星期|礼拜)(?:[约定说]好?)?的(?:周|星期|礼拜)[一二三四五六日天]"),
        dismiss(Undated.PAST),
    ),
    DateRule(
        "unplaced_weekday",
        re.compile(rf"{_WHICH}{_WEEK}几(?!来?都)"),
        dismiss(Undated.UNPLACED),
    ),
    DateRule("weekend", re.compile(rf"{_WHICH}(?:{_WEEK}末|双休日?|礼拜末)"), _weekend),
    DateRule(
        "week",
        re.compile(
            r"(?P<which>上上|上|这|本|再?下下下|再?下下|再?下)(?:一?个|一)?(?:周|星期|礼拜)"
            r"(?P<part>初|头|中|[前上后下]半(?:周|段|个周|个星期)?)?(?P<within>之内|以内|内)?",
        ),
        _week,
    ),
)
