"""Days counted from today: 明天, 过两天, 3-5天, 半个月后, 个把月, 听日, 3个工作日后, 两小时后."""

import re
from calendar import monthrange
from dataclasses import replace
from datetime import date, timedelta
from re import Match
from typing import Final

from tools.dates.mentions.mention import DateRule, Days, Meaning, Moment, Undated, dismiss
from tools.dates.mentions.number import QUANTITY, read_quantity
from tools.dates.reading import Precision

_NAMED: Final = {"今": 0, "明": 1, "听": 1, "后": 2, "大后": 3, "大大后": 4}
_BEFORE: Final = (
    "再过个?|过了|再?给我?|再等个?|等个|要等|得等|过个|过上?|等上?|隔个?|缓个?|推迟个?|推后|往后推|推|延后|延期|延迟|延|晚个?|迟个?|"
    "宽限|还要|还得|还需要?|需要|要|得|大概|大约|估计|预计|差不多|可能"
)
_LEAST: Final = "至少|最少|最快|最早|起码|怎么也"
_LIMIT: Final = "最多|不到|顶多|不超过"
_AFTER: Final = (
    r"以后|之后|过后|后(?!天|来|面|台|续|期|勤|备)|"
    r"(?=再|才|就(?:[能可会行好到来完够返回弄办忙装]|结束|出院|有空|在家))"
)
_WITHIN: Final = "之内|以内|内"
_AGO: Final = r"之前|以前|前(?!后|台|面)|了|一次|[一两三\d]次|来|的?保修"
_REPORTED_PAST: Final = re.compile(
    r"(?:已经|[等用买修拖坏停放住]了|[^过]了|第|每隔?|前|过去|头|保修期?|质保期?|最近|近|上|只有|工作)$",
)
_FILLER: Final = re.compile(r"(?:^|[,，。;；!！?？、\n ])(?:嗯|啊|哦|那|就|我|再|先){0,6}$")
_PUT_OFF: Final = re.compile("推|延|晚|迟")
_WAITS: Final = re.compile("[过等隔迟晚]")
_PARTICLE: Final = re.compile(
    r"(?:左右|吧|啊|呀|呢|的样子|就行|就好|差不多|可以吗?|行吗?){0,4}(?:$|[,，。;；!！?？、\n ])"
)
_WEEKDAYS: Final = range(5)
_A_WEEK: Final = 7
"""三日后 is in three days, 十五日后 after the 15th."""
_HALF_A_MONTH: Final = {
    "半": (15, 15),
    "大半": (18, 24),
    "小半": (10, 13),
    "半来": (15, 18),
}
_FEW: Final = Precision.APPROXIMATE


def add_months(day: date, months: int) -> date:
    """Return the same day some months on, or the last day of that month where it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _named_day(match: Match[str], moment: Moment) -> Meaning:
    day = moment.today + timedelta(days=_NAMED[match["name"]])
    return Days(day, day)


def _two_named_days(match: Match[str], moment: Moment) -> Meaning:
    first, *_, last = (moment.today + timedelta(days=_NAMED[char]) for char in match["names"])
    return Days(first, last, Precision.RANGE)


def _these_days(match: Match[str], moment: Moment) -> Meaning:
    return Days(
        moment.today, moment.today + timedelta(days=2 if match["count"] in "两俩" else 3), _FEW, whole=True
    )


def _shift(day: date, count: int, unit: str, *, half: bool, moment: Moment) -> date:
    """Return the day `count` units on; a half adds half a unit."""
    if unit == "工作日":
        return _working_days(day, count, moment)
    if unit in ("天", "日"):
        return day + timedelta(days=count)
    if unit in ("周", "星期", "礼拜"):
        return day + timedelta(days=7 * count + (3 if half else 0))
    months = count * (12 if unit == "年" else 1) + (6 if half and unit == "年" else 0)
    return add_months(day, months) + timedelta(days=15 if half and unit == "月" else 0)


def _working_days(day: date, count: int, moment: Moment) -> date:
    if moment.calendar is not None:
        return moment.calendar.add_working_days(day, count)
    while count > 0:
        day += timedelta(days=1)
        count -= day.weekday() in _WEEKDAYS
    return day


def _stands_alone(match: Match[str]) -> bool:
    """Whether the clause is nothing but the duration: the answer to "how long?"."""
    return bool(_FILLER.search(match.string, 0, match.start()) and _PARTICLE.match(match.string, match.end()))


def _counts_days(match: Match[str], greatest: int) -> bool:
    """Whether 日 counts days (三日后) rather than names one of the month (十五日)."""
    waited = _WAITS.search(match["before"] or "")
    return greatest <= _A_WEEK and bool(match["after"] or match["within"] or waited)


def _duration(match: Match[str], moment: Moment) -> Meaning | None:
    if match["ago"] or _REPORTED_PAST.search(match.string, 0, match.start()):
        return Undated.PAST if (match["ago"] or "").endswith("前") else Undated.NOT_A_DATE
    if match["loose"]:
        spoken, unit = "个把", match["loose"]
    else:
        spoken, unit = match["quantity"], match["unit"]
    half_only = spoken in _HALF_A_MONTH
    quantity = (0, 0) if half_only else read_quantity(spoken)
    if quantity is None or (unit == "日" and not _counts_days(match, quantity[1])):
        return None
    if match["within"] or match["limit"]:
        return Undated.DEADLINE
    vague = quantity[0] != quantity[1] or bool(match["about"] or match["round"]) or match["odd"] == "来"
    vague = vague or spoken in ("大半", "小半")
    if not (match["before"] or match["after"] is not None or vague or _stands_alone(match)):
        return None
    half = half_only or bool(match["half"] or match["more"])
    if half and unit in ("天", "日", "工作日"):
        return None
    idiom = match["before"] is not None and spoken in ("两", "几") and unit in ("天", "日")
    precision = Precision.DAY if not vague and not idiom else _FEW
    not_before = bool(match["after"] or match["least"])

    def counted(start: date) -> Days:
        if half_only and unit == "月":
            days = _HALF_A_MONTH["半来" if spoken == "半" and match["odd"] else spoken]
            earliest, latest = (start + timedelta(days=count) for count in days)
        else:
            earliest, latest = (_shift(start, count, unit, half=half, moment=moment) for count in quantity)
        return Days(earliest, latest, precision, not_before=not_before)

    days = counted(moment.today)
    return replace(days, beyond=counted) if _PUT_OFF.search(match["before"] or "") else days


def _hours(match: Match[str], moment: Moment) -> Meaning | None:
    quantity = (0, 0) if match["quantity"] == "半" else read_quantity(match["quantity"])
    if quantity is None:
        return None
    half = timedelta(minutes=30) if match["quantity"] == "半" or match["half"] else timedelta(0)
    unit = timedelta(minutes=1) if match["unit"] == "分钟" else timedelta(hours=1)
    day = (moment.now + quantity[0] * unit + half).date()
    return Days(day, day)


def _next_working_day(match: Match[str], moment: Moment) -> Meaning:
    first = _working_days(moment.today, 1, moment)
    return Days(first, first, Precision.DAY if match["next"] else _FEW)


RULES: Final = (
    DateRule(
        "named_day",
        re.compile(
            r"(?P<name>(?:大大|大)?后|(?<![证声赶])(?:(?<!说)|(?=明[天儿]))明|今|听(?=[日朝晚]))"
            r"(?:天(?![气空然])|日(?!期)|儿个?|(?<!听)朝(?![代皇政廷阳鲜向])|(?<=听))"
        ),
        _named_day,
    ),
    DateRule("named_day", re.compile(r"(?P<name>今|(?<![证说声])明)(?=[早晚晨]|上午|下午|中午)"), _named_day),
    DateRule("named_days", re.compile(r"(?P<names>今明后|今明|明后)[两三]?[天日]"), _two_named_days),
    DateRule(
        "past_day",
        re.compile(
            r"(?:大?前[天日]|(?:昨|寻|琴)[天日晚夜儿]个?|前[两几些][天日]|刚才|刚刚|这两天前|那[天几两]|当天|头[两几]天)"
        ),
        dismiss(Undated.PAST),
    ),
    # 第日 and 赶明儿 are the next day to some, and some other day to others.
    DateRule("another_day", re.compile("第日|赶明儿个?"), dismiss(Undated.UNPLACED)),
    DateRule("these_days", re.compile(r"(?:这|近)(?P<count>[一两俩几三]|一两|两三)[天日]"), _these_days),
    DateRule(
        "duration",
        re.compile(
            rf"(?:(?P<limit>{_LIMIT})|(?P<before>(?:{_BEFORE}|(?P<least>{_LEAST})){{1,4}}))?(?P<about>大概|大约|差不多)?"
            rf"(?:(?P<loose>[天周月年])把|(?P<quantity>(?<![上下前后])[大小]?半|{QUANTITY})[个拉]?(?P<half>半)?(?P<odd>[多来])?"
            r"(?P<unit>工作日|(?:星期|礼拜|周)(?![一二三四五六日末天期])|[天日年]|"
            r"(?:(?<=[个半俩仨把拉])|(?<=个[多来半])|(?<=个半多))月))(?P<more>半(?![天年个]))?(?P<round>左右|的?样子|上下)?(?:的?时间)?"
            rf"(?:(?P<within>{_WITHIN})|(?P<ago>{_AGO})|(?P<after>{_AFTER}))?",
        ),
        _duration,
    ),
    DateRule(
        "hours",
        re.compile(
            rf"(?P<before>再?过)?(?P<quantity>半|{QUANTITY})个?(?P<half>半)?(?P<unit>小时|钟头|分钟)(?(before)(?:以后|之后|后(?!天))?|(?:以后|之后|后(?!天)))",
        ),
        _hours,
    ),
    DateRule("working_day", re.compile(r"(?P<next>下一?个)?工作日(?!内|之内|以内)"), _next_working_day),
)
