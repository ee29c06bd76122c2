"""Festivals: 国庆后, 放完五一假, 过完年, 中秋当天, 元宵节后, 元旦以后, 节后, 双十一."""

import re
from datetime import date, timedelta
from re import Match
from typing import Final

from tools.calendar import Festival
from tools.dates.mentions.lunar import FIRST, LUNAR, TWELFTH, lunar_days
from tools.dates.mentions.mention import DateRule, Days, Meaning, Moment, Undated, dismiss
from tools.dates.mentions.number import QUANTITY, read_number, read_quantity
from tools.dates.reading import Precision

NEAR: Final = timedelta(days=30)
"""How near a holiday must be for 节后, which names none, to mean it."""

_NAMES: Final = {
    "元旦": Festival.NEW_YEAR,
    "春节": Festival.SPRING,
    "过年": Festival.SPRING,
    "新年": Festival.SPRING,
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
    "五月初五": Festival.DRAGON_BOAT,
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
_LUNAR: Final = {
    "元宵": (FIRST, 15, 15),
    "正月十五": (FIRST, 15, 15),
    "破五": (FIRST, 5, 5),
    "腊八": (TWELFTH, 8, 8),
    "小年": (TWELFTH, 23, 24),  # the 23rd in the north, the 24th in the south
    "除夕": (TWELFTH, -1, -1),
    "年三十": (TWELFTH, -1, -1),
    "年夜": (TWELFTH, -1, -1),
}
_HOLIDAY: Final = "小长假|黄金周|长假|假期|放假|假"
_ENDS: Final = r"过完|放完|过了|休完|歇完|过去|忙完"
_PASSED: Final = r"过去(?=以后|之后|后|了|再)了?|过(?!来|去|年|节|门|户|道)"
_COUNT: Final = rf"第(?P<nth>[一二三四五六七八])天|(?P<count>半|{QUANTITY})个?(?P<unit>周|星期|礼拜|月|天)"
_DAY: Final = (
    rf"(?:{_HOLIDAY})?的?(?:第(?P<day>[一二三四五六七八])天|(?P<last>最后一天)|(?P<own>当[天日]|那天|正日子))"
)
_AFTER: Final = (
    rf"(?:的?(?:放完假|{_HOLIDAY}|这几天|当天|那天)?(?:一?过完|一?过了|一?(?:{_PASSED})|结束|收了?假|放完|休完|完)?"
    rf"(?:以后|之后|过后|后(?!天|勤|备|台|面)|回来(?=再|以后|之后|后|约|联系|$|[,，。]))?(?:的?(?:{_COUNT}))?)"
)
_OPEN: Final = re.compile(r"过完|放完|过了|休完|歇完|忙完|过去|过$|完|结束|收了?假|后|回来")
_BEFORE: Final = rf"(?:{_HOLIDAY}|节)?(?:之前|以前|前(?!后|台|面)|头一?天)"
_DURING: Final = rf"的?(?:{_HOLIDAY})?(?:期间|的?时候|那几天|这几天)?"


def _block(name: str, moment: Moment) -> tuple[date, date] | None:
    """Return the festival's coming days, or those that are going on."""
    years = (moment.today.year, moment.today.year + 1)
    if name in _FIXED:
        month, day = _FIXED[name]
        return next((date(year, month, day),) * 2 for year in years if date(year, month, day) >= moment.today)
    if name in _LUNAR:
        days = lunar_days(moment, *_LUNAR[name])
        return None if days is None else (days.earliest, days.latest)
    if moment.calendar is None:
        return None
    blocks = (moment.calendar.festival(_NAMES[name], year) for year in years)
    return next((block for block in blocks if block is not None and block[1] >= moment.today), None)


def _own_day(name: str, block: tuple[date, date], moment: Moment) -> date:
    """Return the festival's own day within its days off."""
    festival = _NAMES.get(name)
    if festival is None or moment.calendar is None:
        return block[0]
    days = (moment.calendar.festival_day(festival, year) for year in (block[0].year, block[1].year))
    return next((day for day in days if day is not None and block[0] <= day <= block[1]), block[0])


def _festival(match: Match[str], moment: Moment) -> Meaning:
    block = _block(match["name"], moment)
    if block is None:
        return Undated.NOT_A_DATE
    if match["before"]:
        return Undated.DEADLINE
    day = _named_day(match, block, moment)
    if day is not None:
        return Days(day, day) if block[0] <= day <= block[1] else Undated.UNPLACED
    if match["ends"] or _OPEN.search(match["after"] or ""):
        return _after(block[1], match)
    if match["nth"] or match["count"]:
        return Undated.UNPLACED
    return Days(block[0], block[1], Precision.DAY if block[0] == block[1] else Precision.RANGE, whole=True)


def _named_day(match: Match[str], block: tuple[date, date], moment: Moment) -> date | None:
    """Return the day of 国庆当天 or 国庆第三天, None where the days off are not told apart."""
    if match["own"] or match["name"] in ("八月十五", "五月初五"):
        return None if match["after"] else _own_day(match["name"], block, moment)
    if match["last"]:
        return block[1]
    return block[0] + timedelta(days=(read_number(match["day"]) or 1) - 1) if match["day"] else None


def _after(last: date, match: Match[str]) -> Meaning:
    """Return what begins after that day: at once, on the second day, or so many weeks later."""
    if match["nth"]:
        day = last + timedelta(days=read_number(match["nth"]) or 1)
        return Days(day, day)
    if match["count"]:
        return _some_time_after(last, match)
    first = last + timedelta(days=1)
    return Days(first, first, not_before=True)


def _some_time_after(last: date, match: Match[str]) -> Meaning:
    counts = (1, 1) if match["count"] == "半" else read_quantity(match["count"])
    # 国庆后两天 may be the first two days as well as the second.
    if counts is None or match["unit"] == "天":
        return Undated.UNPLACED
    length = 7 if match["unit"] != "月" else 15 if match["count"] == "半" else 30
    first, end = (last + timedelta(days=length * count) for count in counts)
    return Days(first, end, Precision.APPROXIMATE)


def _new_year(match: Match[str], moment: Moment) -> Meaning:
    """年后, 过完年, 年前: the Spring Festival without its name."""
    block = _block("春节", moment)
    if block is None:
        return Undated.NOT_A_DATE
    return Undated.DEADLINE if match["before"] else _after(block[1], match)


def _unnamed(match: Match[str], moment: Moment) -> Meaning:
    """节后, 放完假: after the holiday that is near, whichever it is."""
    if match["before"]:
        return Undated.DEADLINE
    if moment.calendar is None:
        return Undated.UNCLEAR_FESTIVAL
    for distance in range(NEAR.days + 1):
        day = moment.today + timedelta(days=distance)
        if moment.calendar.is_holiday(day):
            while moment.calendar.is_holiday(day):
                day += timedelta(days=1)
            return _after(day - timedelta(days=1), match)
    return Undated.UNCLEAR_FESTIVAL


_SURE: Final = (
    "元旦|春节|清明|劳动(?=节)|端午|中秋|八月十五(?=后|以后|之后|过)|(?<=历)(?:八月十五|五月初五)|国庆|圣诞|平安夜|"
    "双十一|双十二|双11|双12|元宵|正月十五|破五|腊八|小年(?![轻夜])|除夕|(?<![今明去前后当每多])年三十(?![号日岁多几分个天度块])|"
    "(?<=大)年夜(?!饭)|(?:(?<=历)|(?<=过))新年"
)
_SURE_DAYS: Final = "情人(?=节)|妇女(?=节)|三八(?=妇女|节)|儿童(?=节)|教师(?=节)"
# 五一, 十一, 51 and 六一 are streets and numbers as well: 五一 and 六一 are festivals where they are nothing else,
# the others need a word that makes them one.
_NUMBERLIKE: Final = r"十一|51|5\.1|10\.1"
_MAKES_FESTIVAL: Final = (
    rf"(?=节|儿童|劳动|国庆|{_HOLIDAY}|放|期间|当[天日]|那[天几]|第[一二三四五六七八]天|过|后(?!天)|以后|之后|结束|回来|"
    r"再(?!加|来一)|(?:之|以)?前(?!台|面))"
)
_MAKES_ELEVEN: Final = (
    r"(?<![点时钟半\d][到至])(?=来|[去吧我咱你行要]|有空|没空|有时间|没时间|在(?=家|老家|不在|吗)|不在|不行|等|可以|都[在行可有不]|就|休息|"
    r"出[去门]|旅游|上门|见|联系|约|的?时候|也)"
)
_NOT_A_NUMBER: Final = (
    r"(?![零一二两三四五六七八九十百千万\d个点楼号栋幢单室层元块天分度月届班中社新村比左右])"
)
_PLACE: Final = r"(?!路|街|巷|广场|大道|桥|村|小区|镇|大厦|公园|酒店|商场|河|上河|东路|西路|南路|北路)"

RULES: Final = (
    DateRule(
        "festival",
        re.compile(
            rf"(?:(?P<ends>{_ENDS})|等到?|到)?{LUNAR}大?(?<![零一二三四五六七八九十百廿周期拜第\d])"
            rf"(?P<name>{_SURE}|{_SURE_DAYS}|过年(?!货)|(?:五一|六一){_NOT_A_NUMBER}|"
            rf"(?:{_NUMBERLIKE}){_MAKES_FESTIVAL}|十一{_MAKES_ELEVEN}|(?:(?<=等)|(?<=等到))十一(?=$|[,，。]))"
            rf"(?:国际)?(?:妇女|儿童|劳动|国庆)?(?!节?日?(?:快乐|愉快))节?{_PLACE}"
            rf"(?:{_DAY}(?!以后|之后|后|过|结束)|(?P<before>{_BEFORE})|(?P<after>{_AFTER})|(?P<during>{_DURING}))",
        ),
        _festival,
    ),
    DateRule(
        "festival",
        re.compile(
            r"(?P<ends>过完|放完|休完|过了)(?P<name>十一)(?!路|街|点|楼|号|个|月|天)"
            rf"(?P<before>(?!))?(?P<day>(?!))?(?P<last>(?!))?(?P<own>(?!))?"
            rf"(?P<after>的?小?长?假?期?(?:以后|之后|后(?!天))?(?:的?(?:{_COUNT}))?)",
        ),
        _festival,
    ),
    DateRule(
        "new_year",
        re.compile(
            rf"(?:(?:过完|过了)大?年(?!货|级|龄|检|审|底|初|三十|二十|廿|夜)(?:以后|之后|后)?|"
            rf"(?<![零一二三四五六七八九十百廿两几半多数\d今明后去当每同前往近常整成青中老])大?年(?:后(?!天)|过完后?|"
            rf"(?P<before>前(?!台|面)|之前|以前)))(?:的?(?:{_COUNT}))?",
        ),
        _new_year,
    ),
    DateRule(
        "unnamed_festival",
        re.compile(
            rf"(?<![季细环情音关过春年明午秋庆动人女童师夕旦章宵])(?:过完节|放完假|休完假|过了节|节(?:过完|后|过后|之后|以后)|长假后|"
            rf"假期(?:以后|之后|后|结束后?|过后|过完)|收了?假后?|放假回来|(?P<before>(?:节|放假|长假|假期)(?:前|之前|以前)(?!台|面)))(?:以后|之后|后)?"
            rf"(?:的?(?:{_COUNT}))?",
        ),
        _unnamed,
    ),
    DateRule(
        "street",
        re.compile(r"(?:五一|六一|八一|十一|国庆|中秋|三八|元旦|清明|春节)[东南西北中]?[路街巷桥村]"),
        dismiss(Undated.NOT_A_DATE),
    ),
)
