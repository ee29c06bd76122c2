"""Normalises the customer's text, and maps positions back to the original."""

import re
from dataclasses import dataclass
from typing import Final
from unicodedata import decimal

LONGEST: Final = 2000
"""Characters that are read; what stands beyond is not looked at."""

_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# Traditional characters, and the Cantonese and Wu ones (嚟, 喺, 冇, 唔, 嘅, 勿) that stand for one of Mandarin's.
_TRADITIONAL: Final = str.maketrans(
    "後週點號兩個這禮開過節國慶當種來時間號幾點還會沒從鐘勞動聖誕雙陽曆農陰舊臘遲勝壹貳叁聽晝閒嚟喺冇唔嘅勿",
    "后周点号两个这礼开过节国庆当种来时间号几点还会没从钟劳动圣诞双阳历农阴旧腊迟胜一二三听昼闲来在没不的不",
)
_SPELLING: Final = _FULL_WIDTH | _TRADITIONAL
_FOREIGN_DIGIT: Final = re.compile(r"[^\D0-9]")
_SPACE: Final = re.compile(r"[ \t\u00a0\u200b]+")


@dataclass(frozen=True, slots=True)
class NormalText:
    """A normalised text.

    Attributes:
        written: What the customer wrote.
        text: Simplified characters, half-width digits and punctuation, no blanks but between two ASCII ones.
        origin: For each character of `text` its position in `written`.
    """

    written: str
    text: str
    origin: tuple[int, ...]

    def original(self, start: int, end: int) -> str:
        """Return the customer's own words for a span of `text`."""
        return self.written[slice(*self.place(start, end))] if start < end else ""

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where in `written` a span of `text` stands that is not empty."""
        return self.origin[start], self.origin[end - 1] + 1


def reword(written: str) -> NormalText:
    """Return the normalised text; each character is replaced by one character, so that positions stay valid."""
    text = written[:LONGEST].translate(_SPELLING)
    text = _FOREIGN_DIGIT.sub(lambda digit: str(decimal(digit[0])), text)
    kept: list[int] = []
    previous = 0
    for blank in _SPACE.finditer(text):
        kept.extend(range(previous, blank.start()))
        between_ascii = (
            text[max(0, blank.start() - 1) : blank.start()].isascii() and text[blank.end() :][:1].isascii()
        )
        if between_ascii:
            kept.append(blank.start())
        previous = blank.end()
    kept.extend(range(previous, len(text)))
    return NormalText(written, "".join(text[position] for position in kept), tuple(kept))
