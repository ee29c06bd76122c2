"""Reads the context of a date: excluded, past, a deadline, a correction, not before."""

import re
from dataclasses import dataclass
from typing import Final

from tools.dates.refusal import is_given_up, is_refused

CLAUSE_END: Final = re.compile(r"[,，。;；!！?？\n ]")

_AFTER: Final = re.compile(
    r"(?:左右)?的?(?:以后|之后|过后|往后(?!再?[推挪延改拖放移调顺])|后面|后头|后(?!天|来|台|续|期|半|备|勤)|(?P<starting>开始|起(?!来|床|码)))",
)
_UNTIL: Final = re.compile(r"(?:以前|之前|前(?!后|台|面|来|往|天|几|两|端|段))")
_AROUND: Final = re.compile(r"(?:左右|前后|上下|那几天|这几天|附近)")
_NOT_BEFORE_TAIL: Final = re.compile(
    r"(?:^|[^刚])才(?!刚)|回来|回家|到家|回国|返回|完工|结束|出院|(?<!没)到货|装修完|弄好|办完|忙完|以后都|之后都",
)
_NOT_BEFORE_HEAD: Final = re.compile(
    r"(?:等到?|[要得忙拖等排出差放住]到|直到|最早|最快|至少|起码|早于|先于)(?:了|也|[要得等在是到]){0,4}$",
)
_UP_TO_HEAD: Final = re.compile(r"到$")
_THROUGH_TAIL: Final = re.compile(r"过[了完](?=再|以后|之后|后|就|吧)")
_THROUGH_HEAD: Final = re.compile(r"(?:忙完|过完|过了|等过|熬过)$")
_LATEST_HEAD: Final = re.compile(
    r"(?:最晚|最迟|至迟|不晚于|不能晚于|不超过|不迟于|截止到?|截至|赶在|期限是?)(?:是|到|在|也|要){0,4}$"
)
_IS_NOT: Final = re.compile(r"(?:(?<!是)不是|不对)(?:说|约|定)?的?$")
_CHANGED: Final = re.compile(r"(?:改成|改为|更正为?|更改为)[^,，。;；!！?？\n]{0,3}$")
_MISSPOKEN: Final = re.compile(r"(?:[说记搞弄]错了?|不对)[,，。!！ ]?(?:应该)?(?:是|要)?$")
_FAR: Final = 12
"""How far back a slip of the tongue is looked for."""
_PAST_HEAD: Final = re.compile(r"(?:保修|质保|过保|生产日期|出厂)[^,，。]{0,6}$")
_FORMERLY: Final = re.compile(r"(?:本来|原来|原定|原先|原本|之前说|上次说|先前)[^,，。;；!！?？\n]{0,6}$")
_AWAY: Final = re.compile(r"(?:老家|外地|国外|娘家|婆家|乡下)[^,，。;；!！?？\n]{0,3}$")
"""Before 过年: the festival is spent elsewhere."""
_COMING: Final = re.compile(r"[就才再会能要][^,，。;；!！?？]{0,6}?(?<!报)[来修打]了")
"""Of what lies ahead: 过两天我就回来了 tells of nothing past."""
_SAID: Final = re.compile(
    r"(?:^[^,，。;；!！?？\n]{0,8}|^[^,，。;；!！?？\n]{0,4}(?:电话|联系|问)[^,，。;；!！?？\n]{0,3}[,，](?:你们|客服|师傅|他们?|那边|人家){0,2})"
    r"(?:(?<![我再])说|讲|答应|通知|告诉|承诺|保证)[^,，。;；!！?？\n]{0,4}$",
)
_PROMISED: Final = re.compile(r"(?<![就那])(?:说好|讲好|答应|承诺|保证)了?的?[^,，。;；!！?？\n就]{0,3}$")
_AGREEING: Final = re.compile(r"(?:那|就|咱们?|我们?)[^,，。]{0,2}$")
_ASKED: Final = re.compile(r"^[^,，。;；!！]{0,10}(?:[吗么?？]|行不行|能不能|可以不)")
_SPEECH: Final = re.compile(r"(?:说|讲|答应|承诺|保证|约|定)[好的了]{0,2}[^,，。;；!！?？\n]{0,4}$")
_BROKEN: Final = re.compile(
    r"[^。;；\n]{0,10}?(?P<outcome>结果)[^,，。;；!！?？\n]{0,6}?没|"
    r"(?:[来到送修装弄的吗嘛]|上门|过来|安装|[上下]午|早上|晚上|一定){0,5}[,，。;；!！?？ ]{0,2}"
    r"(?:怎么|到现在|现在|可是?|但是?|却|[都也还又人]|一直|根本|师傅|你们|他们?|一个|谁|等了?半天){0,5}"
    r"(?:没有?(?:[人谁]|一个人)?(?:来(?!得及)|到(?!货)|[见打修送发]|动静|消息|影)|人呢|人影)",
)
_BY_NOW: Final = re.compile(r"(?:都|已经)(?:已经|快|是|到){0,2}$")
_BELATED: Final = re.compile(
    r"(?:[这可]?都|已经)(?:已经|快|是|到){0,2}[周星期礼拜一二三四五六日天号月\d]{2,6}[了啦]"
)
"""今天都周五了 complains of how late it is."""
_RHETORICAL: Final = re.compile(r"不是(?:[说讲约定]|答应)[好过的了]{0,2}$")
_QUESTION: Final = re.compile(r"[^,，。;；!！?？\n]{0,8}[吗嘛么]")
_OTHERWISE: Final = re.compile(r"[^。;；!！?？]{0,6}其[他它余](?:的|时间|时候|日子|几天|都)")
_REPORTED_PAST: Final = re.compile(
    r"报的?修|报修|报的|买的|下的?单|打过|来过|约过|修过|换过|坏[的了]|装[的过]|申请[的了过]|提交[的了过]|说过|联系过|"
    r"(?:就|还|都)(?:在)?[^,，。]{0,4}好好的|没来|没到|没人来|来了(?!再|就)|修了|打了(?!再)|已经|"
    r"说好的?[^,，。]{0,6}没|的时候(?:说|坏|买)|"
    r"刚(?!好|刚好)|过期|到期|生产|出厂|发的货|寄的|签的|约好的没|给我打(?:的|了)|换的|修好[的了]",
)


@dataclass(frozen=True, slots=True)
class DateContext:
    """The context of a mention within its clause.

    Attributes:
        end: Position after the words that belong to the mention (以后, 左右).
        after: 以后 and its like follow at once, or 过了 stands before.
        starting: 开始 or 起 follows at once.
        until: 之前 follows at once, or 最晚 stands before.
        up_to: 到 stands before.
        around: 左右 follows at once.
        not_before: 最早 or its like stands before.
        opens: The clause goes on that it is not possible before (才有空, 回来).
        excluded: The clause says that this is when it is not possible.
        told: The clause tells of the past.
        corrected: The customer takes a date back or changes it.
        through: The date must have passed (过了 stands before, or 过了再 follows).
        promised: A promise made earlier is told (说好今天来), which speaks of the past where its day has come.
    """

    end: int
    after: bool
    starting: bool
    until: bool
    up_to: bool
    around: bool
    not_before: bool
    opens: bool
    excluded: bool
    in_past: bool
    corrected: bool
    through: bool
    promised: bool


def read_context(
    text: str, start: int, end: int, previous_end: int, next_start: int, *, past_before: bool = False
) -> DateContext:
    """Return the context of a mention.

    Args:
        text: The text in one spelling.
        start: Where the mention begins.
        end: Where it ends.
        previous_end: Where the mention before it ends; what stands before that belongs to the other.
        next_start: Where the next mention begins.
        past_before: Whether the mention before it is of the past.
    """
    after = _AFTER.match(text, end)
    until = None if after else _UNTIL.match(text, end)
    around = None if after or until else _AROUND.match(text, end)
    suffix = after or until or around
    suffix_end = suffix.end() if suffix else end
    head = text[_clause_start(text, previous_end, start) : start]
    clause_end = CLAUSE_END.search(text, suffix_end)
    tail = text[suffix_end : min(next_start, clause_end.start() if clause_end else len(text))]
    through = bool(_THROUGH_HEAD.search(head) or _THROUGH_TAIL.match(tail))
    asked = _ASKED.match(text, suffix_end) is not None
    said_before = past_before and not asked and _SAID.search(text[previous_end:start]) is not None
    return DateContext(
        end=suffix_end,
        after=(after is not None and not after["starting"]) or through,
        starting=after is not None and bool(after["starting"]),
        until=until is not None or bool(_LATEST_HEAD.search(head)),
        up_to=_UP_TO_HEAD.search(head) is not None,
        around=around is not None,
        not_before=_NOT_BEFORE_HEAD.search(head) is not None,
        opens=_NOT_BEFORE_TAIL.search(tail) is not None,
        excluded=is_refused(head, tail)
        or is_given_up(text, head, suffix_end, next_start)
        or (text.startswith("过年", start) and _AWAY.search(head) is not None)
        or bool(_OTHERWISE.match(text, suffix_end)),
        in_past=said_before
        or bool(_REPORTED_PAST.search(_COMING.sub("", tail)) or _PAST_HEAD.search(head))
        or bool(_BELATED.match(text, end) or (_BY_NOW.search(head) and text.startswith(("了", "啦"), end)))
        or _is_broken(head, text[suffix_end:next_start]),
        corrected=_is_corrected(text[max(0, start - _FAR) : start], head),
        through=through,
        promised=not asked and _is_promise(head),
    )


def _is_promise(head: str) -> bool:
    promise = _PROMISED.search(head)
    return promise is not None and _AGREEING.search(head, 0, promise.start()) is None


def _is_broken(head: str, after: str) -> bool:
    """Whether a promise for the date was not kept: 你们说今天来，结果没来; 不是说今天来吗."""
    if _RHETORICAL.search(head) and _QUESTION.match(after):
        return True
    broken = _BROKEN.match(after)
    return broken is not None and (bool(broken["outcome"]) or _SPEECH.search(head) is not None)


def _is_corrected(before: str, head: str) -> bool:
    if _MISSPOKEN.search(before):
        return True
    return any(pattern.search(head) for pattern in (_IS_NOT, _CHANGED, _FORMERLY))


def _clause_start(text: str, previous_end: int, start: int) -> int:
    last = previous_end
    for end in CLAUSE_END.finditer(text, previous_end, start):
        last = end.end()
    return last
