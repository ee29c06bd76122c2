"""Days and parts of months: 10号, 二十五六号, 3月28号, 3/28, 4.15, 月底, 下个月初, 四月份, 年底."""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from re import Match
from typing import Final

from tools.dates.mentions.mention import DateRule, Days, Meaning, Moment, Undated, dismiss
from tools.dates.mentions.number import CHINESE, ONE, TO, VAGUE_DAY, read_days, read_number
from tools.dates.mentions.relative import add_months
from tools.dates.reading import Precision

_PARTS: Final = {
    "初": (1, 5),
    "头": (1, 5),
    "第一天": (1, 1),
    "最后一天": (-1, 31),
    "底最后一天": (-1, 31),
    "上旬": (1, 10),
    "上中旬": (1, 20),
    "中上旬": (1, 20),
    "中下旬": (11, 31),
    "中": (14, 16),
    "中旬": (11, 20),
    "下旬": (21, 31),
    "底": (-5, 31),
    "末": (-5, 31),
    "尾": (-5, 31),
}
"""First and last day; a negative first counts from the end of the month."""

_PARTS_OF_YEAR: Final = {
    None: ((1, 1), (12, 31)),
    "初": ((1, 1), (1, 31)),
    "中": ((6, 1), (7, 31)),
    "底": ((12, 20), (12, 31)),
    "末": ((12, 20), (12, 31)),
    "尾": ((12, 20), (12, 31)),
}
_MONTHS: Final = range(1, 13)
_DAYS: Final = range(1, 32)
_CALENDAR_YEARS: Final = range(1, 9000)
_YEARS: Final = {"今": 0, "明": 1, "后": 2, "去": -1, "前": -2}
_YEAR: Final = r"(?:(?P<year>(?<!\d)(?:\d{4}|\d{2})|[零〇一二三四五六七八九]{4}|[今明后去前])年的?)?"
_REL: Final = r"(?P<rel>上上个?|上个?|这个?|本|当|再?下下个?|再?下个?)"
_PART: Final = r"(?P<part>底?最后一天|第一天|上中旬|中[上下]旬|[上中下]旬|初|底|末|中(?!午)|头(?!一)|尾)"
_NOT_COUNTED: Final = rf"(?![个台次天块元套件人年月点米斤楼栋%吨伏度分号日:{CHINESE}\d])"
_PLACE: Final = r"(?<![路街巷弄牌编尾型代栋楼室区园元第#A-Za-z.])"
_NUMBERED: Final = (
    r"楼|栋|幢|座|单元|院|门|房|线|口|机|库|店|柜|车间|车位|车库|桌|厂|仓|井|窗|床|铺|厅|码|电池|灯|炉|泵|梯|地铁|小区|公寓|"
    r"工位|档|桩|塔|钢|螺|管|阀|主机|机房|会议室|教室|病房|包间|宿舍|站|出口|入口|公馆|技师|坐席|套餐|路|街|巷|弄|胡同|"
    r"汽油|柴油|设备(?!到|来|才|进|回|发)|配电|柱|轴|箱变|字"
)
_PAID: Final = re.compile("(?:[收扣退花费交付补赔款共]|[共合总]计)[了过我你他您们的是掉去给回约才]{0,4}$")
_NO_NUMBER: Final = rf"(?<![\d.个{CHINESE}])"
_DAY: Final = rf"(?P<day>{VAGUE_DAY}|{ONE}{TO}{ONE}|{ONE})"
_DAY_WORDS: Final = "子|常|立|用|报|本|光|志|期|历|程|元|式|内|化"


def _date(year: int, month: int, day: int) -> date | None:
    """Return the date, None where there is no such day."""
    if year not in _CALENDAR_YEARS or month not in _MONTHS or not 1 <= day <= monthrange(year, month)[1]:
        return None
    return date(year, month, day)


def _months_from(day: date) -> Iterator[date]:
    """Yield the first of this and the following twelve months; a 31st comes within two of them."""
    for distance in range(13):
        yield add_months(day.replace(day=1), distance)


def _year(word: str | None, moment: Moment) -> int | None:
    if word is None:
        return None
    if word in _YEARS:
        return moment.today.year + _YEARS[word]
    if not word.isascii():
        word = "".join(str("零一二三四五六七八九".index(digit)) for digit in word.replace("〇", "零"))
    return int(word) if len(word) == len("2026") else 2000 + int(word)


def _month(rel: str, moment: Moment) -> date:
    """Return the first day of 这个月, 下个月, 下下个月, 再下个月, 上个月."""
    distance = rel.count("下") + rel.count("再") - rel.count("上")
    return add_months(moment.today.replace(day=1), distance)


def _days_in(month: date, low: int, high: int) -> Days | None:
    first = _date(month.year, month.month, low)
    last = _date(month.year, month.month, high)
    if first is None or last is None:
        return None
    return Days(first, last, Precision.DAY if low == high else Precision.RANGE)


def _day_of_month(match: Match[str], moment: Moment) -> Meaning | None:
    if match["list"]:
        values = [read_number(part) for part in re.split("[、和或]|或者", match["list"])]
        if None in values:
            return None
        low, high = values[0] or 0, values[-1] or 0
    else:
        low, high = read_days(match["day"]) or (0, 0)
    if low not in _DAYS or high not in _DAYS or high < low:
        return None
    if match["rel"]:
        return _past_or(_days_in(_month(match["rel"], moment), low, high), moment)

    def coming(start: date) -> Days | None:
        for month in _months_from(start):
            days = _days_in(month, low, high)
            if days is not None and days.latest >= start:
                return Days(days.earliest, days.latest, days.precision, again=coming)
        return None

    return coming(moment.today)


def _past_or(days: Days | None, moment: Moment) -> Meaning | None:
    return Undated.PAST if days is not None and days.latest < moment.today else days


def _month_and_day(match: Match[str], moment: Moment) -> Meaning | None:
    month = read_number(match["month"])
    low, high = read_days(match["day"]) or (0, 0)
    year = _year(match["year"], moment)
    if month is None:
        return None
    # There is no 30 February, and no thirteenth month either; the first is a slip, the second no date at all.
    absent = Undated.UNPLACED if month in _MONTHS and low in _DAYS and high in _DAYS else Undated.NOT_A_DATE
    if year is not None:
        return _past_or(_days_in_year(year, month, low, high), moment) or absent
    return _coming_in_year(month, low, high, moment) or absent


def _coming_in_year(month: int, low: int, high: int, moment: Moment) -> Days | None:
    """Return the days in this year's month, or in the next year's where they are past."""
    this = _days_in_year(moment.today.year, month, low, high)
    if this is not None and this.latest >= moment.today:
        return this
    return _days_in_year(moment.today.year + 1, month, low, high)


def _days_in_year(year: int, month: int, low: int, high: int) -> Days | None:
    return None if _date(year, month, 1) is None else _days_in(date(year, month, 1), low, high)


def _part(month: date, part: str | None) -> Days:
    length = monthrange(month.year, month.month)[1]
    first, last = _PARTS[part] if part else (1, length)
    if first < 0:
        first = length + 1 + first
    last = min(last, length)
    precision = Precision.DAY if first == last else Precision.RANGE if part else Precision.MONTH
    return Days(month.replace(day=first), month.replace(day=last), precision, whole=True)


def _part_of_named_month(match: Match[str], moment: Moment) -> Meaning | None:
    """三月份以后 said before March begins is from its first day on."""
    year = _year(match["year"], moment)
    month = _date(moment.today.year if year is None else year, read_number(match["month"]) or 0, 1)
    if month is None:
        return None
    days = _part(month, match["part"])
    if year is None and days.latest < moment.today:
        days = _part(month.replace(year=month.year + 1), match["part"])
    if match["on"] is not None and days.earliest > moment.today:
        return Days(days.earliest, days.earliest)
    return _past_or(days, moment)


def _part_of_month(match: Match[str], moment: Moment) -> Meaning:
    if match["within"] and "下" not in (match["rel"] or ""):
        return Undated.DEADLINE
    days = _part(_month(match["rel"] or "", moment), match["part"])
    if "再" in (match["rel"] or ""):
        return replace(days, beyond=lambda named: _part(add_months(named.replace(day=1), 1), match["part"]))
    if match["rel"]:
        return _past_or(days, moment) or days
    return days if days.latest >= moment.today else _part(_month("下", moment), match["part"])


def _part_of_year(match: Match[str], moment: Moment) -> Meaning | None:
    if match["within"]:
        return Undated.DEADLINE if match["year"] in (None, "今") else None
    if match["part"] is None and match["year"] not in ("明", "后"):
        return None
    year = _year(match["year"], moment) or moment.today.year
    opens, closes = _PARTS_OF_YEAR[match["part"]]
    if year not in _CALENDAR_YEARS:
        return None
    if match["year"] is None and date(year, *closes) < moment.today:
        year += 1
    precision = Precision.MONTH if match["part"] else Precision.YEAR
    return _past_or(Days(date(year, *opens), date(year, *closes), precision, whole=True), moment)


def _numeric(match: Match[str], moment: Moment) -> Meaning | None:
    month, day = int(match["month"]), int(match["day"] or match["short"])
    if "year" in match.re.groupindex:
        return _past_or(_days_in_year(int(match["year"]), month, day, day), moment)
    return _coming_in_year(month, day, day, moment)


def _dotted(match: Match[str], moment: Moment) -> Meaning | None:
    return Undated.NOT_A_DATE if _PAID.search(match.string, 0, match.start()) else _numeric(match, moment)


_M: Final = r"(?P<month>1[0-2]|0?[1-9])"
_D: Final = r"(?P<day>3[01]|[12]\d|0?[1-9])"
_MEASURE: Final = (
    r"(?!\s*(?:[\d/%.:]|英?[寸尺米]|[万元块斤克升伏瓦吨安度折分版级倍点个小接管阀平公毫厘A-Za-z℃°]))"
)

RULES: Final = (
    DateRule(
        "day_of_month",
        re.compile(
            rf"{_PLACE}(?:{_REL}月份?的?)?(?:(?P<list>(?:{ONE}(?:、|和|或者?))+{ONE})|{_DAY})"
            rf"(?:号(?!{_NUMBERED})|日(?!{_DAY_WORDS}))",
        ),
        _day_of_month,
    ),
    DateRule(
        "month_and_day",
        re.compile(
            rf"{_YEAR}{_NO_NUMBER}(?P<month>{ONE})月份?的?{_DAY}"
            rf"(?:号(?!{_NUMBERED})|日(?!{_DAY_WORDS})|{_NOT_COUNTED})",
        ),
        _month_and_day,
    ),
    DateRule(
        "part_of_month",
        re.compile(
            rf"{_YEAR}{_NO_NUMBER}(?P<month>{ONE})月份?的?{_PART}?(?![嫂饼])(?P<on>(?<=[月份])(?=以后))?"
        ),
        _part_of_named_month,
    ),
    DateRule(
        "part_of_month",
        re.compile(
            rf"(?:{_REL}月份?的?|(?<![个岁满正腊冬])月(?=[初底末中头尾]|[上中下]旬|最后一天)|"
            rf"(?<![月份的历上中下])(?=[上中下]{{1,2}}旬)){_PART}?"
            r"(?P<within>之内|以内|内)?",
        ),
        _part_of_month,
    ),
    DateRule(
        "part_of_year",
        re.compile(
            rf"(?<![半多今明后去前往每{CHINESE}\d])(?P<year>[今明后]|(?<!\d)\d{{4}})?年的?(?:年(?=[初中底末]))?"
            r"(?P<part>初|中|底|末|尾)?(?P<within>之内|以内|内)?",
        ),
        _part_of_year,
    ),
    DateRule("iso_date", re.compile(rf"(?<![\d/.-])(?P<year>20\d\d)[-/.]{_M}[-/.]{_D}(?!\d)"), _numeric),
    DateRule(
        "dashed_date",
        re.compile(
            rf"(?<![\d/.:A-Za-z-]){_M}-(?P<day>3[01]|2\d|1[3-9])"
            r"(?=$|[,，。;；!！ 吧来再]|以后|之后|左右|[上下]午)",
        ),
        _numeric,
    ),
    DateRule("slash_date", re.compile(rf"(?<![\d/.:A-Za-z]){_M}/{_D}{_MEASURE}(?:号|日)?"), _numeric),
    DateRule(
        "dotted_date",
        re.compile(
            rf"(?<![\d/.:A-Za-z￥¥$版本压温价分-]){_M}\."
            r"(?:(?P<day>3[01]|[12]\d)|(?P<short>[1-9])(?=[号日]|再|来|以后|之后|后|左右|[上下]午|晚))"
            rf"{_MEASURE}(?:号|日)?",
        ),
        _dotted,
    ),
    DateRule(
        "unplaced_day",
        re.compile(
            rf"(?<![十好\d0])(?:{_REL}月份?的?|(?:{ONE}|几)月份?的?)?几(?:号|(?<=月几)日)(?!{_NUMBERED}|来?都)"
        ),
        dismiss(Undated.UNPLACED),
    ),
    DateRule(
        "past_year",
        re.compile(r"(?:去|前|往)年(?:的?[\d一二三四五六七八九十]{1,3}月(?:份|底|初)?)?"),
        dismiss(Undated.PAST),
    ),
    DateRule(
        "long_number",
        re.compile(r"[A-Za-z]*\d[\dA-Za-z]{4,}(?:-\d+)*|\d{2,4}-\d{3,}(?:-\d+)*"),
        dismiss(Undated.NOT_A_DATE),
    ),
)
