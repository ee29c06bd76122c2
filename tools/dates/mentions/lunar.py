"""Days of the lunar calendar: 正月初八, 年初六, 腊月二十三, 正月里; other months are seen and not placed."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from re import Match
from typing import Final

from tools.dates.mentions.mention import DateRule, Days, Meaning, Moment, Undated, dismiss
from tools.dates.mentions.number import COMES, TO, read_days, read_number
from tools.dates.reading import Precision

FIRST: Final = 1
TWELFTH: Final = 12
LUNAR: Final = r"(?:(?:农历|阴历|旧历)的?)?"
_ONE_DAY: Final = timedelta(days=1)
_ALL: Final = (1, 30)
_PARTS: Final = {
    "初": (1, 5),
    "头": (1, 5),
    "上旬": (1, 10),
    "中": (14, 16),
    "中旬": (11, 20),
    "下旬": (21, 30),
    "底": (-5, 30),
    "末": (-5, 30),
    "尾": (-5, 30),
}
"""First and last day; a negative first counts from the end of the month."""

_N: Final = "一二三四五六七八九十"
_COUNTED: Final = r"(?![个次天台遍点多两\d])(?!(?<=初一)(?:[直起定样些边共切]|下(?!午)))"
_SCHOOL: Final = r"(?!学生|年级|的?孩子|的?学生|上学|毕业|开学|班|中考|家长|[上下]册|[上下]学期|放学)"
_PUPIL: Final = r"(?<!孩子)(?<!女儿)(?<!儿子)(?<!弟弟)(?<!妹妹)(?<!今年)(?<![读上念升是娃学])"
_NEW_YEAR: Final = r"(?:(?:过完|过了)?大?年|过大?年|新年|春节)(?:正月)?的?"
_ONES: Final = "一二三四五六七八九"
_NUMBER: Final = rf"(?:(?:[二三]?十|廿)[{_ONES}]{{0,2}}|[{_ONES}]{{1,2}})"
_DAY: Final = (
    rf"(?:初(?P<first>[{_N}]{{1,2}})|(?P<day>二?十(?:[几多]|来{COMES})|{_NUMBER}|\d{{1,2}}))(?:[号日](?!子))?"
    rf"(?:(?:{TO}|、|和|或者?)?(?P<until>初?{_NUMBER})(?![{_N}月号点个天]))?"
)


def months(moment: Moment, month: int) -> Iterator[tuple[date, date]]:
    """Yield the coming 正月 or 腊月, the one that is going on included, and the one a year on."""
    if moment.calendar is None:
        return
    of_year = moment.calendar.first_month if month == FIRST else moment.calendar.twelfth_month
    for year in range(moment.today.year, moment.today.year + 3):
        span = of_year(year)
        if span is not None and span[1] >= moment.today:
            yield span


def lunar_days(moment: Moment, month: int, low: int, high: int) -> Days | None:
    """Return the coming days of that lunar month; a negative one counts from its end."""
    for first, last in months(moment, month):
        length = (last - first).days + 1
        opens, closes = (length + 1 + day if day < 0 else day for day in (low, high))
        if not 1 <= opens <= closes <= length:
            continue
        days = Days(first + (opens - 1) * _ONE_DAY, first + (closes - 1) * _ONE_DAY)
        if days.latest >= moment.today:
            precision = Precision.DAY if opens == closes else Precision.RANGE
            return Days(days.earliest, days.latest, precision)
    return None


def _day(match: Match[str], moment: Moment) -> Meaning | None:
    low, high = read_days(match["first"] or match["day"]) or (0, 0)
    if match["until"]:
        high = read_number(match["until"].removeprefix("初")) or 0
    if not 1 <= low <= high:
        return None
    month = TWELFTH if match["month"] in ("腊月", "十二月") else FIRST
    return lunar_days(moment, month, low, high) or Undated.UNPLACED


def _day_of_new_year(match: Match[str], moment: Moment) -> Meaning | None:
    """大年初八, 初八: of 正月; the bare one only where no other month has that day before."""
    low, high = read_days(match["first"]) or (0, 0)
    if not 1 <= low <= high:
        return None
    days = lunar_days(moment, FIRST, low, high)
    if days is None or (not match["sure"] and _other_month_first(moment, high)):
        return Undated.UNPLACED
    return days


def _other_month_first(moment: Moment, number: int) -> bool:
    """Whether another month's day of that number comes before the one of 正月."""
    first, last = next(months(moment, FIRST), (date.max, date.max))
    if first <= moment.today <= last:
        return moment.today > first + (number - 1) * _ONE_DAY
    before = next(months(moment, TWELFTH), (date.max, date.max))
    return moment.today <= before[0] + (number - 1) * _ONE_DAY


def _end_of_year(match: Match[str], moment: Moment) -> Meaning:
    """年二十八, 年廿八: of 腊月."""
    low, high = read_days(match["day"]) or (0, 0)
    return lunar_days(moment, TWELFTH, low, high) or Undated.UNPLACED


def _part(match: Match[str], moment: Moment) -> Meaning:
    span = next(months(moment, FIRST if match["month"] == "正月" else TWELFTH), None)
    if span is None:
        return Undated.UNPLACED
    first, last = span
    if match["out"]:
        return Days(last + _ONE_DAY, last + _ONE_DAY, not_before=True)
    if match["into"]:
        return Days(first, first, not_before=True)
    opens, closes = _PARTS.get(match["part"], _ALL)
    starts = last + (opens + 1) * _ONE_DAY if opens < 0 else first + (opens - 1) * _ONE_DAY
    ends = min(last, first + (closes - 1) * _ONE_DAY)
    if ends < moment.today:
        return Undated.UNPLACED
    return Days(starts, ends, Precision.RANGE if match["part"] else Precision.MONTH, whole=True)


def _fifteenth(match: Match[str], moment: Moment) -> Meaning | None:
    """过了十五: of 正月, unless another month's fifteenth comes first; then it is anybody's guess."""
    days = lunar_days(moment, FIRST, 15, 15)
    sure = match["sure"] or "正月" in match.string[: match.start()]
    if match["later"] and not sure:
        return None
    if days is None or (not sure and _other_month_first(moment, 15)):
        return Undated.UNPLACED
    return Days(days.latest + _ONE_DAY, days.latest + _ONE_DAY, not_before=True)


RULES: Final = (
    DateRule(
        "lunar_day",
        re.compile(
            rf"{LUNAR}(?P<month>正月|腊月|(?:(?<=历)|(?<=历的))(?:一月|十二月))的?{_DAY}(?![个天])",
        ),
        _day,
    ),
    DateRule(
        "lunar_day",
        re.compile(
            rf"(?:(?P<sure>{LUNAR}(?:[今明]年的?)?{_NEW_YEAR})|(?<![月年周最当起])(?<!年的){_PUPIL})"
            rf"初(?P<first>[{_N}]{{1,2}})(?![号日]){_COUNTED}{_SCHOOL}",
        ),
        _day_of_new_year,
    ),
    DateRule(
        "lunar_day",
        re.compile(r"(?<![今明去前后当每同])大?年(?P<day>(?:二十|廿)[三四五六七八九])(?![号日岁个天])"),
        _end_of_year,
    ),
    DateRule(
        "lunar_month",
        re.compile(
            rf"(?:(?P<out>出了?|过了|过完)|(?P<into>进了?|入了?))?{LUNAR}(?P<month>正月|腊月)"
            r"(?:的?(?P<part>[上中下]旬|[底末尾初头]|中(?!午))|里头?|间)?",
        ),
        _part,
    ),
    DateRule(
        "lunar_day",
        re.compile(
            r"(?:过了|过完|出了|(?P<sure>(?:过完|过了|过|(?<![今明去前后当每同\d]))大?年))十五(?![号日天个分点楼层单元块])|"
            rf"(?<![{_N}廿])十五(?:过了|过完|过后|(?P<later>以后|之后))"
        ),
        _fifteenth,
    ),
    DateRule(
        "other_lunar",
        re.compile(
            rf"(?:农历|阴历|旧历)(?:的?闰?(?:[{_N}]{{1,2}}|\d{{1,2}}|冬)月)?(?:的?初?[廿{_N}\d]{{1,3}}[号日]?)?|"
            rf"冬月(?:初?[廿{_N}]{{1,3}})?|闰[{_N}]{{1,2}}月(?:初?[廿{_N}]{{1,3}})?|"
            rf"(?:(?<![{_N}])[{_N}]{{1,2}}月的?|[上这本当下]个?月的?)初(?:十?[{_N}])(?![{_N}号日两天几个月]|{TO}{_N})|"
            r"(?<![十\d])(?:二月二|三月三|九月九|七月半)(?![十号日到至~-])|"
            r"小年夜|(?:七夕|重阳|中元|寒衣|冬至|夏至|立[春夏秋冬]|惊蛰|谷雨|霜降)节?(?:过完|过后|以后|之后|后)?",
        ),
        dismiss(Undated.UNPLACED),
    ),
)
