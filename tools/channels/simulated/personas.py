"""Personas of simulated customers, drawn by task and key for orders without a script."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from schemas.orders.contact import Channel, ContactResult
from tools.channels.simulated.simulation import Reaction

_Choice = TypeVar("_Choice")


@dataclass(frozen=True, slots=True)
class Persona:
    """A kind of customer.

    Attributes:
        name: What they want, by the level-2 intent (SPEC.md §4) or the habit they stand for.
        weight: Their share among all customers, relative to the others.
        answers_call: The chance that they answer a call.
        answers_text: The chance that they answer an SMS or IM.
        words: What they say, one of them an answer.
        later_words: What they say once the obstacle is gone; empty when it never goes.
    """

    name: str
    weight: float
    answers_call: float
    answers_text: float
    words: tuple[str, ...]
    later_words: tuple[str, ...] = ()


_READY: Final = (
    "师傅可以过来了，我这两天都在家。",
    "配件昨天收到了，麻烦尽快安排上门吧。",
    "可以的，明天上午过来修就行。",
    "装修已经弄完了，可以安排师傅来安装。",
    "行，报价我同意了，你们派人来修吧。",
    "现场电通好了，随时可以上门。",
    "审批下来了，继续派单吧。",
    "周末我有空，你让师傅直接联系我上门。",
)

PERSONAS: Final = (
    Persona("可上门", 34, 0.72, 0.55, _READY),
    Persona(
        "配件未到",
        14,
        0.70,
        0.50,
        (
            "配件还没到呢，等到了再说吧。",
            "我买的主板缺货，商家说还得等几天。",
            "快递显示还在路上，没送到。",
            "寄过来的配件型号不对，重新换货了，还要等。",
            "厂家说备件下周才能发出来。",
        ),
        _READY,
    ),
    Persona(
        "客户不便",
        14,
        0.66,
        0.55,
        (
            "我在外地出差，过几天回来再约。",
            "这几天家里没人，换个时间吧。",
            "最近孩子住院，实在没空，下周再联系我。",
            "今天明天都要上班，大后天再说。",
            "老人刚睡下，不方便，过两天再打给我约时间吧。",
        ),
        _READY,
    ),
    Persona(
        "现场或审批未就绪",
        12,
        0.70,
        0.50,
        (
            "家里还在装修，水电都没弄好，先别来。",
            "领导还没批下来，要等审批。",
            "物业这边施工许可没办好，进不了场。",
            "机房还没腾出来，现场不具备条件。",
            "开关柜还没送电，来了也装不了。",
        ),
        _READY,
    ),
    Persona(
        "不再需要",
        12,
        0.75,
        0.55,
        (
            "不用来了，已经自己修好了，单子取消吧。",
            "我换新的了，不修了，帮我取消订单。",
            "太贵了，不修了，取消吧。",
            "别处找人弄好了，这个单撤销掉。",
        ),
    ),
    Persona(
        "需人工",
        8,
        0.70,
        0.45,
        (
            "喂？听不清，你说什么？",
            "这个我考虑一下吧，还没想好。",
            "你们到底什么时候能修好？我要投诉，让你们主管给我回电话。",
            "我不是机主，你打错了吧。",
            "转人工，我不跟机器人说。",
            "以后不要再给我打电话了。",
        ),
    ),
    Persona("无人接听", 6, 0.05, 0.10, _READY),
)
"""Their weights add up to 100."""

_SILENCE: Final = (
    (ContactResult.NO_ANSWER, 0.62),
    (ContactResult.BUSY, 0.13),
    (ContactResult.REJECTED, 0.09),
    (ContactResult.POWER_OFF, 0.07),
    (ContactResult.VOICEMAIL, 0.05),
    (ContactResult.INVALID_NUMBER, 0.02),
    (ContactResult.SUSPENDED_NUMBER, 0.02),
)
_OBSTACLE_GONE: Final = 0.5
"""The chance that what held the customer back has gone by this attempt: postponed orders come to an end."""
_SHORTEST_DELAY_SECONDS: Final = 0.05
_DELAY_SPREAD_SECONDS: Final = 0.35


def persona_of(seed: str, task_id: str) -> Persona:
    """Return the persona of an order: the same for the same seed and task."""
    return _weighted([(persona, persona.weight) for persona in PERSONAS], _fraction(seed, task_id, "persona"))


def draw(seed: str, task_id: str, key: str, channel: Channel) -> Reaction:
    """Return the reaction of an order's customer in one attempt: the same for the same arguments, in every process."""
    persona = persona_of(seed, task_id)
    chance = persona.answers_call if channel is Channel.PHONE else persona.answers_text
    delay = _SHORTEST_DELAY_SECONDS + _DELAY_SPREAD_SECONDS * _fraction(seed, key, "delay")
    if _fraction(seed, key, "answers") >= chance:
        return Reaction(_weighted(_SILENCE, _fraction(seed, key, "silence")), delay_seconds=delay)
    later = bool(persona.later_words) and _fraction(seed, key, "obstacle") < _OBSTACLE_GONE
    words = persona.later_words if later else persona.words
    return Reaction(
        ContactResult.ANSWERED, words[int(_fraction(seed, key, "words") * len(words))], delay_seconds=delay
    )


def _fraction(*parts: str) -> float:
    """A number in [0, 1) that depends on nothing but the parts."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), digest_size=6).digest()
    return int.from_bytes(digest) / (1 << 48)


def _weighted(choices: Sequence[tuple[_Choice, float]], fraction: float) -> _Choice:
    """The choice at this fraction of the total weight."""
    left = fraction * sum(weight for _, weight in choices)
    for choice, weight in choices:
        left -= weight
        if left < 0:
            return choice
    return choices[-1][0]
