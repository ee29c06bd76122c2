"""Normalises text: width, script, case, punctuation and noise."""

import re
import unicodedata

MAX_LENGTH = 500
"""Characters that are read. A longer text is cut here, and being cut is a reason for a review."""

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
_EDGE = re.compile(r"^[， ]+|[， ]+$")
_UNREADABLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mn", "Me", "Sk", "So"})


def normalize(text: str) -> str:
    """Return `text` in the one form that rules and model read; never longer than `MAX_LENGTH`.

    Compatibility forms become plain (NFKC), common traditional characters simplified, letters lower case.
    Every pause is `，`, every question `？`, every number `0`; emoji and invisible characters vanish, blanks
    stay only between Latin words. The result may be empty. Applying it again changes nothing.
    """
    plain = unicodedata.normalize("NFKC", text[: 4 * MAX_LENGTH]).casefold().translate(_SCRIPT)
    plain = "".join(
        " " if character in "\n\r\t" else character
        for character in plain
        if character in "\n\r\t" or unicodedata.category(character) not in _UNREADABLE
    )
    plain = _DIGITS.sub("0", _PAUSE.sub("，", _QUESTION.sub("？", plain)))
    plain = _LATIN_GAP.sub("\0", _SPACE.sub(" ", plain)).replace(" ", "").replace("\0", " ")
    plain = _REPEATED.sub(r"\1\1\1", plain)
    plain = re.sub(r"[，？]*？[，？]*", "？", re.sub(r"，+", "，", plain))
    return _EDGE.sub("", plain[:MAX_LENGTH])


def is_cut(text: str) -> bool:
    """Whether `text` is longer than what `normalize` reads."""
    return len(text) > MAX_LENGTH
