"""Festivals: 国庆后, 放完五一假, 过完年, 中秋期间, 元旦以后, 节后, 双十一."""

import re
from datetime import date, timedelta
from re import Match
from typing import Final

from tools.calendar import Festival
from tools.dates.mention import Days, Dismissed, Meaning, Moment, Rule
from tools.dates.reading import Precision

NEAR: Final = timedelta(days=30)
"""How near a holiday must be for 节后, which names none, to mean it."""

_NAMES: Final = {
    "元旦": Festival.NEW_YEAR,
    "春节": Festival.SPRING,
    "过年": Festival.SPRING,
    "年": Festival.SPRING,
    "清明": Festival.QINGMING,
    "五一": Festival.LABOUR,
    "51": Festival.LABOUR,
    "5.1": Festival.LABOUR,
    "10.1": Festival.NATIONAL,
    "劳动": Festival.LABOUR,
    "端午": Festival.DRAGON_BOAT,
    "中秋": Festival.MID_AUTUMN,
    "八月十五": Festival.MID_AUTUMN,
    "国庆": Festival.NATIONAL,
    "十一": Festival.NATIONAL,
}
_FIXED: Final = {
    "情人": (2, 14),
    "妇女": (3, 8),
    "三八": (3, 8),
    "儿童": (6, 1),
    "六一": (6, 1),
    "教师": (9, 10),
    "双十一": (11, 11),
    "双11": (11, 11),
    "双十二": (12, 12),
    "双12": (12, 12),
    "平安夜": (12, 24),
    "圣诞": (12, 25),
}
_ENDS: Final = r"过完|放完|过了|休完|歇完|过去|忙完"
_AFTER: Final = (
    r"(?:的?(?:小长假|黄金周|长假|假期|放假|放完假|假|这几天|当天|那天)?(?:一?过完|一?过了|一?过去?|结束|收假|放完|休完|完)?"
    r"(?:以后|之后|过后|后(?!天|勤|备|台|面)|回来)?)"
)
_OPEN: Final = re.compile(r"过完|放完|过了|休完|歇完|忙完|过去|过$|完|结束|收假|后|回来")
_BEFORE: Final = r"(?:小长假|长假|假期|放假|节|假)?(?:之前|以前|前(?!后|台|面))"
_DURING: Final = r"的?(?:小长假|黄金周|长假|假期|放假|假)?(?:期间|的?时候|当天|那天|那几天|这几天)?"


def _block(name: str, moment: Moment) -> tuple[date, date] | None:
    """Return the festival's coming days, or those that are going on."""
    years = (moment.today.year, moment.today.year + 1)
    if name in _FIXED:
        month, day = _FIXED[name]
        return next((date(year, month, day),) * 2 for year in years if date(year, month, day) >= moment.today)
    if moment.calendar is None:
        return None
    blocks = (moment.calendar.festival(_NAMES[name], year) for year in years)
    return next((block for block in blocks if block is not None and block[1] >= moment.today), None)


def _festival(match: Match[str], moment: Moment) -> Meaning:
    block = _block(match["name"], moment)
    if block is None:
        return Dismissed.NOT_A_DATE
    if match["before"]:
        return Dismissed.DEADLINE
    if match["ends"] or _OPEN.search(match["after"] or ""):
        return _after(block[1])
    return Days(block[0], block[1], Precision.DAY if block[0] == block[1] else Precision.RANGE, whole=True)


def _after(last: date) -> Days:
    first = last + timedelta(days=1)
    return Days(first, first, not_before=True)


def _new_year(match: Match[str], moment: Moment) -> Meaning:
    """年后, 过完年, 年前: the Spring Festival without its name."""
    block = _block("春节", moment)
    if block is None:
        return Dismissed.NOT_A_DATE
    return Dismissed.DEADLINE if match["before"] else _after(block[1])


def _unnamed(match: Match[str], moment: Moment) -> Meaning:
    """节后, 放完假: after the holiday that is near, whichever it is."""
    if match["before"]:
        return Dismissed.DEADLINE
    if moment.calendar is None:
        return Dismissed.UNCLEAR_FESTIVAL
    for distance in range(NEAR.days + 1):
        day = moment.today + timedelta(days=distance)
        if moment.calendar.is_holiday(day):
            while moment.calendar.is_holiday(day):
                day += timedelta(days=1)
            return _after(day - timedelta(days=1))
    return Dismissed.UNCLEAR_FESTIVAL


def _not_a_date(_match: Match[str], _moment: Moment) -> Meaning:
    return Dismissed.NOT_A_DATE


# 五一, 十一, 51 and 六一 are streets and numbers as well, so they need a word that makes them a festival.
_SURE: Final = (
    "元旦|春节|清明|劳动(?=节)|端午|中秋|八月十五(?=后|以后|之后|过)|国庆|圣诞|平安夜|双十一|双十二|双11|双12"
)
_SURE_DAYS: Final = "情人(?=节)|妇女(?=节)|三八(?=妇女|节)|儿童(?=节)|教师(?=节)"
_NUMBERLIKE: Final = r"五一|十一|51|5\.1|10\.1|六一"
_MAKES_FESTIVAL: Final = (
    r"(?=节|儿童|劳动|国庆|小?长假|黄金周|假|放假|期间|当天|那[天几]|过|后(?!天)|以后|之后|结束|回来|"
    r"再(?!加|来一)|(?:之|以)?前(?!台|面))"
)
_PLACE: Final = r"(?!路|街|巷|广场|大道|桥|村|小区|镇|大厦|公园|酒店|商场|河|上河|东路|西路|南路|北路)"

RULES: Final = (
    Rule(
        "festival",
        re.compile(
            rf"(?:(?P<ends>{_ENDS})|等到?|到)?(?<![零一二三四五六七八九十百廿\d])"
            rf"(?P<name>{_SURE}|{_SURE_DAYS}|过年(?!货)|(?:{_NUMBERLIKE}){_MAKES_FESTIVAL})"
            rf"(?:国际)?(?:妇女|儿童|劳动|国庆)?节?{_PLACE}"
            rf"(?:(?P<before>{_BEFORE})|(?P<after>{_AFTER})|(?P<during>{_DURING}))",
        ),
        _festival,
    ),
    Rule(
        "festival",
        re.compile(
            r"(?P<ends>过完|放完|休完|过了)(?P<name>五一|十一|六一)(?!路|街|点|楼|号|个|月|天)"
            r"(?P<before>(?!))?(?P<after>的?小?长?假?期?(?:以后|之后|后(?!天))?)",
        ),
        _festival,
    ),
    Rule(
        "new_year",
        re.compile(
            r"(?:过完|过了)大?年(?!货|级|龄|检|审|底|初)(?:以后|之后|后)?|"
            r"(?<![零一二三四五六七八九十百廿两几半多数\d今明后去当每同前往近常整成青中老])大?年(?:后(?!天)|过完后?|"
            r"(?P<before>前(?!台|面)|之前|以前))",
        ),
        _new_year,
    ),
    Rule(
        "unnamed_festival",
        re.compile(
            r"(?<![季细环情音关过春年明午秋庆动人女童师夕旦章])(?:过完节|放完假|休完假|过了节|节(?:过完|后|过后|之后|以后)|长假后|"
            r"假期(?:以后|之后|后|结束后?|过后|过完)|收假后?|放假回来|(?P<before>(?:节|放假|长假|假期)(?:前|之前|以前)(?!台|面)))(?:以后|之后|后)?",
        ),
        _unnamed,
    ),
    Rule(
        "street",
        re.compile(r"(?:五一|六一|八一|十一|国庆|中秋|三八|元旦|清明|春节)[东南西北中]?[路街巷桥村]"),
        _not_a_date,
    ),
)
