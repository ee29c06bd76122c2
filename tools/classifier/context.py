"""Expands a bare yes or no (还没到) by the reason for which the order waits."""

import re
from dataclasses import dataclass

_FILLER = r"^(?:喂|嗯|哦|啊|呃|哎|你好|那个|，)*"
_PARTICLE = r"(?:呢|啊|哦|嘞|呀|哈|的)?$"
_NOT_YET = re.compile(_FILLER + r"还?没(?:有|到|好|下来)?" + _PARTICLE)
_DONE = re.compile(_FILLER + r"(?:已经)?(?:到了|齐了|弄完了|完了|批了|下来了|通过了)" + _PARTICLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Obstacle:
    """A kind of reason for a suspension, and what a bare no or yes then means."""

    reason: re.Pattern[str]
    not_yet: str
    done: str


_OBSTACLES = (
    _Obstacle(reason=re.compile("配件|备件|零件|缺货|缺件|到货|物料"), not_yet="配件还没到", done="配件到了"),
    _Obstacle(reason=re.compile("装修|土建|施工"), not_yet="还没装修完", done="装修结束了"),
    _Obstacle(reason=re.compile("审批|领导|物业|许可"), not_yet="审批还没下来", done="审批通过了"),
)


def spell_out(text: str, pending_reason: str | None) -> str:
    """Return `text` (a normal form) in full when it is a bare yes or no to why the order was suspended.

    Anything longer than a bare answer, and any reason that names no obstacle, leaves it as it is. It never
    leads to a cancellation.
    """
    if not pending_reason:
        return text
    for obstacle in _OBSTACLES:
        if obstacle.reason.search(pending_reason):
            if _NOT_YET.match(text):
                return obstacle.not_yet
            return obstacle.done if _DONE.match(text) else text
    return text
