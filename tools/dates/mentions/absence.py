"""Absences of a given length, after which the follow-up is due: 出差一周, 十天内都没空, 未来三天都不行."""

import re
from datetime import date, timedelta
from re import Match
from typing import Final

from tools.dates.mentions.mention import DateRule, Days, Meaning, Moment, Undated
from tools.dates.mentions.number import QUANTITY, read_quantity
from tools.dates.mentions.relative import add_months
from tools.dates.refusal import SUBJECT

_AWAY: Final = (
    r"出差|出门|出国|外出|出远门|旅游|旅行|度假|(?:去|到)(?:外地|国外)|出去(?:玩|旅游)?|在(?:医院|外地|国外|老家)[待呆住]?|回(?:趟|一趟)?(?:老家|娘家|婆家|乡下)|住院|躺|卧床|养[病伤]|静养|休养|外派|出海|封控|封校|闭关|"
    r"坐月子|隔离|封闭|培训|集训|停业|歇业|闭店|封店|关门|关店|盘点|不在家?"
)
_FILLER: Final = r"(?:大概|大约|估计|可能|差不多|至少|起码|最少|还|都|要|得|需要|有|上|个|他|去|在家|约){0,5}"
_BUSY: Final = (
    r"(?:我们?|家里|家|都|也|全|可能|恐怕|估计|应该|还是|实在|肯定){0,4}(?:没有?空(?!调)|没有?时间|不得空|没得空|没档期|没有?人(?![来联打上管修理处接住用])|"
    r"不在|不行(?![的我就吗么了])|不方便|不可以|不能(?=来|上门|安排|约|$|[,，。])|走不开|抽不|腾不|回不[来去]|出不来|[排约]满|有事|[很太都]忙|忙不|(?:要|得|在)?(?:加班|上班|值班|出差|开会|住院|外地))"
)
_AMOUNT: Final = (
    rf"(?P<quantity>(?<![上下前后])大?半|{QUANTITY})个?(?P<half>半)?(?P<odd>[多来])?"
    r"(?P<unit>(?:星期|礼拜|周)(?![一二三四五六日末天期])|[天日](?!两头)|年(?![前级初底中末内])|(?:(?<=[个半])|(?<=个[多来半]))月)(?P<more>半(?![天年个]))?"
)
_PAST: Final = re.compile(
    r"(?:已经|刚刚?|之前|昨[天日]|前[几些两]?天|上[周次个回]|才从|不|没|别)[^,，。;；!！?？\n]{0,4}$"
)
_CLAUSE: Final = re.compile(r"[^,，。;；!！?？\n]*$")
_ONE_DAY: Final = timedelta(days=1)


def _absence(match: Match[str], moment: Moment) -> Meaning | None:
    groups = match.groupdict()
    clause = _CLAUSE.search(match.string, 0, match.start())
    head = clause[0] if clause else ""
    if groups.get("away"):
        subjects = list(SUBJECT.finditer(head))
        if subjects and subjects[-1]["other"]:
            return None
        if _PAST.search(head):
            return Undated.NOT_A_DATE
    elif not (match["lead"] or match["within"]) or match["unit"] == "年":
        return None
    spoken = match["quantity"]
    counts = {"半": (0, 0), "大半": (0, 0)}.get(spoken) or read_quantity(spoken)
    if counts is None or (match["unit"] == "日" and counts[1] > len("一二三四五六七")):
        return None
    # Three days to come begin tomorrow; a journey of three days begins today.
    ahead = bool(groups.get("within") or groups.get("ahead"))

    def after(start: date) -> Days:
        first = _end(start, counts[1], match) + (
            _ONE_DAY if ahead and match["unit"] in "天日" else timedelta(0)
        )
        return Days(first, first, not_before=True, beyond=after)

    return after(moment.today)


def _end(start: date, count: int, match: Match[str]) -> date:
    """Return the day after so long an absence."""
    half = match["half"] or match["more"] or match["quantity"] in ("半", "大半")
    if match["unit"] in ("天", "日"):
        return start + timedelta(days=count)
    if match["unit"] == "年":
        return add_months(start, 12 * count + (6 if half else 0))
    if match["unit"] != "月":
        return start + timedelta(days=7 * count + (4 if half or match["odd"] else 0))
    extra = 20 if match["quantity"] == "大半" else 15 if half else 0
    return add_months(start, count) + timedelta(days=extra + (5 if match["odd"] else 0))


RULES: Final = (
    DateRule(
        "absence",
        re.compile(
            rf"(?P<away>{_AWAY}){_FILLER}{_AMOUNT}(?:左右|的?样子|上下)?(?:的?时间)?"
            r"(?!半|[前内]|之内|以内|之前|以前|了(?!再)|一次|[多来]次|游|团|的?假)",
        ),
        _absence,
    ),
    DateRule(
        "absence",
        re.compile(
            rf"(?P<lead>(?P<ahead>未来|接下来|往后|今后|后面)的?|最近的?|近|这)?(?:大概|差不多)?(?!(?<=[这近])[两俩几]天)(?!(?<=最近)[两俩几]天)"
            rf"{_AMOUNT}(?P<within>之内|以内|内|里)?{_BUSY}",
        ),
        _absence,
    ),
)
