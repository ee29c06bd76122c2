"""Normalises text: width, script, case, punctuation and noise."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from tools.classifier.traced_text import Place, TracedText

MAX_LENGTH = 500
"""Characters that are read. A longer text is cut here, and being cut is a reason for a review."""
_MOST_READ: Final = 4 * MAX_LENGTH
"""Characters that are looked at: what is left out, and what is made one, does not count."""

# Traditional characters of service talk, each above its simplified form; NFKC leaves them alone.
_TRADITIONAL = (
    "來時間還沒貨運裝維師傅門電話機器檢換壞過這個們說現後為問題應該對點開關請訂單銷費價錢貴買賣"
    "發寄達遞補齊廠總內線網路寬帶氣調熱爐燈陽臺樓層廚衛間牆磚貼頂樑櫃檯場審批領導簽預約從車帳號戶"
    "業東鄰協議准備處辦證許動風雨雪颱災隊進遷遠國慶節聖親愛媽爺孫兒醫療養產婦歲長親聽講誰讓幫麼樣"
    "終結撤廢報誤錯認識絕騷擾訴賠償態慢無語儘盡緊急憶記憑複雜轉質經濟與於並會嗎嘅係喺邊嚟唔啲冇佢"
    "繼續暫緩願滿護熟識夠當課學習館團員資負責顧務獨離隻雙幾萬億準確實際顯示狀況環節驗項劃設計圖紙"
    "導購廣東灣區縣鎮鄉農場莊園據說變壓縮閥鎖鑰匙鐵銅鋼塑膠軟體硬碟盤鍵滑鼠傳感視頻監控攝燒燃煤"
)
_SIMPLIFIED = (
    "来时间还没货运装维师傅门电话机器检换坏过这个们说现后为问题应该对点开关请订单销费价钱贵买卖"
    "发寄达递补齐厂总内线网路宽带气调热炉灯阳台楼层厨卫间墙砖贴顶梁柜台场审批领导签预约从车帐号户"
    "业东邻协议准备处办证许动风雨雪台灾队进迁远国庆节圣亲爱妈爷孙儿医疗养产妇岁长亲听讲谁让帮么样"
    "终结撤废报误错认识绝骚扰诉赔偿态慢无语尽尽紧急忆记凭复杂转质经济与于并会吗嘅系喺边嚟唔啲冇佢"
    "继续暂缓愿满护熟识够当课学习馆团员资负责顾务独离只双几万亿准确实际显示状况环节验项划设计图纸"
    "导购广东湾区县镇乡农场庄园据说变压缩阀锁钥匙铁铜钢塑胶软体硬碟盘键滑鼠传感视频监控摄烧燃煤"
)
_SCRIPT = str.maketrans(_TRADITIONAL, _SIMPLIFIED)

_QUESTION = re.compile(r"[?？]+")
_PAUSE = re.compile(r"[,，.。!！;；:：、…~～\-—_·|/\\\n\r\t\"'“”‘’「」『』《》()\[\]{}<>=*#@^`$%&+]+")
_SPACE = re.compile(r"\s+")
_LATIN_GAP = re.compile(r"(?<=[a-z0-9]) (?=[a-z0-9])")
_DIGITS = re.compile(r"\d+")
_REPEATED = re.compile(r"(.)\1{3,}")
_CHANGES: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (_QUESTION, "？"),
    (_PAUSE, "，"),
    (_DIGITS, "0"),
    (_SPACE, " "),
    (_LATIN_GAP, "\0"),
    (re.compile(" "), ""),
    (re.compile("\0"), " "),
    (_REPEATED, r"\1\1\1"),
    (re.compile(r"，+"), "，"),
    # Of pauses there is only one in a row by now.
    (re.compile(r"，?？[，？]*"), "？"),
)
"""What is done to plain characters, one after another."""
_EDGE = re.compile(r"^[， ]+|[， ]+$")
_BLANKS: Final = "\n\r\t"
_UNREADABLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me", "Sk", "So"})


def normalize(text: str) -> str:
    """Return `text` in the one form that rules and model read; never longer than `MAX_LENGTH`.

    Compatibility forms become plain (NFKC), common traditional characters simplified, letters lower case.
    Every pause is `，`, every question `？`, every number `0`; emoji and invisible characters vanish, blanks
    stay only between Latin words. The result may be empty. Applying it again changes nothing.
    """
    plain = _plain(text[:_MOST_READ])
    for pattern, replacement in _CHANGES:
        plain = pattern.sub(replacement, plain)
    return _EDGE.sub("", plain[:MAX_LENGTH])


def normalize_traced(text: str) -> TracedText:
    """Return what `normalize` does, with the place in `text` of each character. Slower: for who looks at one text."""
    read = text[:_MOST_READ]
    traced = TracedText.of((_plain(read[start:end]), (start, end)) for start, end in _units(read))
    if traced.text != _plain(read):
        traced = TracedText.of([(_plain(read), (0, len(read)))])
    for pattern, replacement in _CHANGES:
        traced = traced.sub(pattern, replacement)
    return traced.first(MAX_LENGTH).sub(_EDGE, "")


def _plain(text: str) -> str:
    """The readable characters, each in its one form."""
    forms = unicodedata.normalize("NFKC", text).casefold().translate(_SCRIPT)
    return "".join(
        " " if character in _BLANKS else character
        for character in forms
        if character in _BLANKS or unicodedata.category(character) not in _UNREADABLE
    )


def _units(text: str) -> Iterator[Place]:
    """The pieces that NFKC changes by themselves: single characters, with the marks that are combined with them."""
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and _combines(text[start:end], text[end]):
            continue
        yield start, end
        start = end


def _combines(before: str, after: str) -> bool:
    if after.isascii():
        return False
    together = unicodedata.normalize("NFKC", before + after)
    return together != unicodedata.normalize("NFKC", before) + unicodedata.normalize("NFKC", after)


def is_cut(text: str) -> bool:
    """Whether `text` is longer than what `normalize` reads."""
    return len(text) > MAX_LENGTH
