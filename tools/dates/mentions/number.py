"""Numbers as customers write and say them: 3, 两, 二十五, 三五, 二十五六, 几, 3-5, 个把, 二十几."""

import re
from typing import Final

_DIGITS: Final = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_VAGUE: Final = {"几": (3, 5), "好几": (4, 7), "数": (3, 5), "俩": (2, 2), "仨": (3, 3), "十几": (12, 15)} | {
    "三两": (2, 3),
    "个把": (1, 2),
}

CHINESE: Final = "零〇一二两三四五六七八九十百廿"
ONE: Final = (
    r"(?:(?<![\d.])\d{1,3}(?!\d)|"
    rf"(?:(?<![周期拜{CHINESE}])|(?<=[周期拜][一二三四五六日天]))[{CHINESE}]{{1,5}})"
)
"""Regular expression of one number (or of two that Chinese writes together, as 三五), weekdays left alone."""

TO: Final = r"(?:-|~|—|–|到|至)"
"""Regular expression of what joins the ends of a range."""

QUANTITY: Final = rf"(?:十几|好几|个把|[几数俩仨]|{ONE}{TO}{ONE}|{ONE}[来多]?)"
"""Regular expression of a number, a range of numbers, or a vague number."""

COMES: Final = "(?!吧|看|修|装|弄|[,，。;；!！?？]|$)"
"""After 来: 二十来号 is a vague day, 二十来吧 asks to come on the 20th."""

VAGUE_DAY: Final = rf"(?<![{CHINESE}\d])(?:[一二]?十|[12]0)(?:好?几|来{COMES}|多)"
"""Regular expression of a day somewhere in a part of the month: 二十几."""

_VAGUE_DAYS: Final = {"十几": (11, 19), "十多": (11, 19), "十来": (10, 13)} | {
    "二十几": (21, 29),
    "二十多": (21, 29),
    "二十来": (20, 25),
}
_SPELLED: Final = re.compile(
    "(?:(?P<hundreds>[一二两三四五六七八九])百[零〇]?)?"
    "(?:(?P<tens>[一二三四五六七八九])?(?P<ten>十))?(?P<ones>[零〇一二两三四五六七八九])?",
)
_RANGE: Final = re.compile(rf"(.{{1,40}}?){TO}(.{{1,40}})")
_PAIR: Final = re.compile(r"(.{0,8}?[十百廿])?([一二两三四五六七八九])([一二两三四五六七八九])")


def read_number(text: str) -> int | None:
    """Return the value of one number up to 999, or None where the text is not one."""
    if text.isascii():
        return int(text) if text.isdigit() else None
    parts = _SPELLED.fullmatch(text.replace("廿", "二十"))
    if parts is None:
        return None
    hundreds, tens, ones = (_DIGITS.get(parts[place] or "", 0) for place in ("hundreds", "tens", "ones"))
    return 100 * hundreds + 10 * (tens or bool(parts["ten"])) + ones


def read_quantity(text: str) -> tuple[int, int] | None:
    """Return the least and the greatest value meant, or None where the text is no quantity."""
    if text in _VAGUE:
        return _VAGUE[text]
    ends = _RANGE.fullmatch(text)
    if ends is not None:
        low, high = read_number(ends[1]), read_number(ends[2])
        return None if low is None or high is None or high < low else (low, high)
    if text[-1] in "来多":
        value = read_number(text[:-1])
        return None if value is None else (value, value + max(1, value // 5))
    value = read_number(text)
    return _pair(text) if value is None else (value, value)


def read_days(text: str) -> tuple[int, int] | None:
    """Return the first and the last day of the month meant: 二十几 is one from the 21st to the 29th."""
    spelled = text.replace("20", "二十").replace("10", "十").replace("好", "").removeprefix("一")
    return _VAGUE_DAYS.get(spelled) or read_quantity(text)


def _pair(text: str) -> tuple[int, int] | None:
    """Two neighbouring digits written together name a range: 两三, 二十五六; 三五 is the one with a gap."""
    pair = _PAIR.fullmatch(text)
    if pair is None:
        return None
    base = read_number(pair[1]) if pair[1] else 0
    low, high = _DIGITS[pair[2]], _DIGITS[pair[3]]
    if base is None or not (high == low + 1 or (low, high) == (3, 5)):
        return None
    return base + low, base + high
