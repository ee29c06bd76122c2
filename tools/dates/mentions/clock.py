"""Times of day: 上午, 下午三点半, 14:30, 两点到四点, 三点以后."""

import re
from dataclasses import dataclass
from datetime import time
from re import Match
from typing import Final, TypeAlias

from tools.dates.mentions.number import CHINESE, TO, read_number, read_quantity

TimeWindow: TypeAlias = tuple[time, time]

_PERIODS: Final = (
    ("凌晨", time(0), time(6)),
    ("上午", time(8), time(12)),
    ("饭后", time(13), time(15)),
    ("午后", time(13), time(15)),
    ("中午", time(11), time(13)),
    ("正午", time(11), time(13)),
    ("白天", time(9), time(18)),
    ("晌午", time(11), time(13)),
    ("上昼", time(8), time(12)),
    ("头晌", time(8), time(12)),
    ("前半", time(8), time(12)),
    ("上半", time(8), time(12)),
    ("后半", time(13), time(18)),
    ("下半", time(13), time(18)),
    ("晌", time(13), time(18)),
    ("昼", time(13), time(18)),
    ("下午", time(13), time(18)),
    ("傍晚", time(17), time(19)),
    ("下班", time(18), time(21)),
    ("夜", time(18), time(22)),
    ("晚", time(18), time(21)),
    ("早", time(7), time(10)),
    ("晨", time(7), time(10)),
    ("朝", time(7), time(10)),
)
"""The first whose name stands in the customer's word holds."""

_OPENS, _CLOSES, _LAST_MINUTE = time(8), time(21), time(23, 59)
_DAYTIME: Final = "白天"
"""Said of no day in particular as often as of one, so it names none by itself."""
_NOON: Final = 12
_AFTERNOON_BELOW: Final = 7
"""A bare 一点 to 六点 is in the afternoon: nobody is visited at three in the night."""

_WORD: Final = (
    "凌晨|大清早|一大早|清早|清晨|一早|早上|早晨|早间|上午|中午|正午|午后|午饭后|下午|傍晚|晚上|晚间|夜里|夜间|夜晚|"
    "白天|朝早|[上下晏]昼|晌午|头晌|上半晌|[下后]半?晌|(?<![大小])[上下前后]半[天日]|(?<=日)朝(?!代)|"
    "下班(?:以后|之后|后)|(?<=[今明天日号一二三四五六末])[早晚晨](?![点些一了])"
)
_NUMBER: Final = rf"(?:(?<![\d.])\d{{1,2}}|[{CHINESE}]{{1,3}})"
_TOKEN: Final = re.compile(
    rf"(?P<period>{_WORD})?(?:的|大概|大约|差不多)?(?:(?P<bare>{_NUMBER}){TO})?"
    r"(?:(?P<clock>(?<![\d:.])(?:[01]?\d|2[0-4]):[0-5]\d(?![\d:]))|"
    rf"(?P<hour>{_NUMBER})(?:点|(?<=\d)时(?!间|候|长))"
    rf"(?P<more>半|一刻|三刻|钟|整|[0-5]?\d分?(?!\d)|[{CHINESE}]{{1,3}}分)?)"
    rf"|(?P<alone>{_WORD})",
)
_JOIN: Final = re.compile(TO)
_LIMIT: Final = re.compile(
    "(?:左右)?(?:(?P<after>以后|之后|过后|后(?!天))|(?P<before>以前|之前|前(?!后|天|台))|"
    "(?P<since>(?=[^,，。;；!！?？\n]{0,4}(?:(?<!刚)才(?!刚)|到家|回家|回来|下班|忙完))))|左右|前后"
)
_GREETING: Final = re.compile("好(?:$|[,，。;；!！?？、 ])")


@dataclass(frozen=True, slots=True)
class TimeMention:
    """A span of the text that names a time of day.

    Attributes:
        start: Position of its first character.
        end: Position after its last character.
        window: Local time from, to.
        exact: Whether an hour is named that is one without a date beside it: 下午三点, 14:30, but not 两点.
        of_day: Whether it is a part of the day: 下午.
        deadline: Whether it ends a day's part (下午之前), which leaves the day itself open.
    """

    start: int
    end: int
    window: TimeWindow
    exact: bool
    of_day: bool = False
    deadline: bool = False


@dataclass(frozen=True, slots=True)
class _Token:
    start: int
    end: int
    word: str | None
    point: time | None
    low: time | None
    exact: bool


def find_times(text: str) -> list[TimeMention]:
    """Return the times of day in the text, from left to right."""
    mentions: list[TimeMention] = []
    previous: _Token | None = None
    for match in _TOKEN.finditer(text):
        joined = previous is not None and _JOIN.fullmatch(text, previous.end, match.start()) is not None
        token = _token(match, previous if joined else None)
        if token is None or _GREETING.match(text, match.end()):
            continue
        first = mentions.pop() if joined and mentions else None
        mentions.append(_mention(text, token, first))
        previous = token
    return mentions


def _token(match: Match[str], before: _Token | None) -> _Token | None:
    word = match["alone"] or match["period"]
    if match["alone"]:
        return _Token(match.start(), match.end(), word, None, None, exact=False)
    day_part = word or (before.word if before is not None else None)
    point = _point(match, day_part)
    if point is None:
        return None
    low = _at(read_number(match["bare"]), 0, day_part) if match["bare"] else _lower(match["hour"], day_part)
    exact = bool(word or match["clock"] or match["more"] or low)
    return _Token(match.start(), match.end(), word, point, low, exact=exact)


def _point(match: Match[str], word: str | None) -> time | None:
    if match["clock"]:
        hour, minute = (int(part) for part in match["clock"].split(":"))
        return _at(hour, minute, word)
    hours = read_quantity(match["hour"])
    return _at(hours[1], _minute(match["more"]), word) if hours else None


def _lower(hours: str | None, word: str | None) -> time | None:
    """Return the first of two hours written together: 四 of 四五点."""
    both = read_quantity(hours) if hours else None
    return _at(both[0], 0, word) if both and both[0] != both[1] else None


def _minute(more: str | None) -> int:
    fixed = {None: 0, "钟": 0, "整": 0, "半": 30, "一刻": 15, "三刻": 45}
    return fixed[more] if more in fixed else read_number((more or "").removesuffix("分")) or 0


def _at(hour: int | None, minute: int, word: str | None) -> time | None:
    """Return the time of day, the hour read by the word before it: 下午三点 is 15:00."""
    if hour is None or hour not in range(25) or minute not in range(60):
        return None
    if 0 < hour < _NOON and _is_afternoon(hour, word):
        hour += _NOON
    is_midnight = hour not in range(24) or (hour == _NOON and word == "晚上")
    return _LAST_MINUTE if is_midnight else time(hour, minute)


def _is_afternoon(hour: int, word: str | None) -> bool:
    if word is None:
        return hour < _AFTERNOON_BELOW
    if "晚" in word or "夜" in word:
        return hour not in range(5)
    return any(part in word for part in ("下", "后", "傍", "晏")) or ("中午" in word and hour in range(4))


def _mention(text: str, token: _Token, first: TimeMention | None) -> TimeMention:
    limit = _LIMIT.match(text, token.end)
    end = limit.end() if limit else token.end
    # 七点我到家 is said of the hours from then on, as 七点以后 is.
    after = limit is not None and (bool(limit["after"]) or limit["since"] is not None)
    before = bool(limit and limit["before"])
    if token.point is None:
        word = token.word or ""
        window = _period(word)
        if first is not None:
            window = (first.window[0], max(window[1], first.window[0]))
        start = first.start if first is not None else token.start
        return TimeMention(
            start,
            end,
            window,
            exact=first is not None and first.exact,
            of_day=word != _DAYTIME,
            deadline=before,
        )
    low = token.low or (first.window[0] if first is not None else None)
    start = first.start if first is not None else token.start
    if low is not None and low < token.point:
        return TimeMention(start, end, (low, token.point), exact=True)
    window = _around(token.point, token.word, after=after, before=before)
    return TimeMention(start, end, window, exact=token.exact)


def _period(word: str) -> TimeWindow:
    return next((opens, closes) for name, opens, closes in _PERIODS if name in word)


def _around(point: time, word: str | None, *, after: bool, before: bool) -> TimeWindow:
    """Return the window of 三点以后, 三点之前 or simply 三点: that hour."""
    opens, closes = _period(word) if word else (_OPENS, _CLOSES)
    if after:
        return point, closes if closes > point else max(point, _LAST_MINUTE)
    if before and opens < point:
        return opens, point
    if point == _LAST_MINUTE:
        return time(23), _LAST_MINUTE
    return point, point.replace(hour=point.hour + 1) if point < time(23) else _LAST_MINUTE
