"""Scripted customers: what each does at every attempt, and what an order of theirs may be closed for."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_READY: Final = (
    "配件到了，可以安排师傅上门了",
    "可以的，你们过来修吧",
    "东西都齐了，让师傅来吧",
    "没问题，可以上门",
)
_PARTS_MISSING: Final = ("配件还没到，等配件到了再说", "配件没到。")
_BUSY_THESE_DAYS: Final = ("这几天天天加班到十点，没空等你们，下周吧。", "这两天考驾照没时间，周五再约。")
_SITE_NOT_READY: Final = ("还在装修，没弄完，别来。", "装修延期了，木工还没进场呢。")
_CANCEL: Final = ("不用了，取消吧，我不修了", "跑步机卖掉了，不用修了，取消报修。")
_UNCLEAR: Final = ("喂？听不清，你说什么", "这个我考虑一下吧，回头再说。")

_ARRANGED: Final = "visit_arranged"
_CANCELLED: Final = "cancelled_by_customer"
_NOT_REACHED: Final = "contact_failed"

_LATE_SECONDS: Final = 25.0
"""Longer than the fleet waits for a call's result in a run (`bench.chaos.fleet`)."""
_LONGEST_TALK: Final = 2.0
_FAULTY: Final = 0.3
"""The share of orders at whose first attempt the provider does something wrong."""
_FAULTS: Final[Sequence[object]] = (
    "accept_then_drop",
    "callback_before_response",
    "no_callback",
    "bad_signature",
    {"kind": "slow", "seconds": 1},
    {"kind": "status", "status": 503, "times": 2},
    {"kind": "status", "status": 429, "times": 1, "retry_after": 1},
    {"kind": "duplicate_callback", "times": 3},
    {"kind": "late_callback", "seconds": 2},
    ["callback_before_response", {"kind": "slow", "seconds": 1}, {"kind": "duplicate_callback", "times": 2}],
)
_SENDING: Final = 0.9
"""The share of the time in which orders are sent."""
_REPEATED: Final = 0.1
"""The share of orders that are sent again although they were accepted."""


class OrderEntry(StrEnum):
    """How an order comes in."""

    START = "http start"
    TASKS = "http tasks"
    BATCH = "http batch"
    STREAM = "stream"
    QUEUE = "kombu queue"
    COMMAND = "unpend submit"


_ENTRIES: Final = {
    OrderEntry.START: 20,
    OrderEntry.TASKS: 15,
    OrderEntry.BATCH: 20,
    OrderEntry.STREAM: 25,
    OrderEntry.QUEUE: 12,
    OrderEntry.COMMAND: 8,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedCustomer:
    """A customer's behaviour, attempt by attempt; the last repeats."""

    name: str
    answers: tuple[str | Sequence[str], ...]
    """A result without words, or what the customer may say."""
    reasons: frozenset[str]
    """What an order of theirs may be closed for; it may also wait for a person."""
    share: int
    late: bool = False
    """The first answer comes when nobody waits for it any more."""


CUSTOMERS: Final = (
    ScriptedCustomer(name="agrees", answers=(_READY,), reasons=frozenset({_ARRANGED}), share=30),
    ScriptedCustomer(
        name="is busy first", answers=("busy", _READY), reasons=frozenset({_ARRANGED}), share=10
    ),
    ScriptedCustomer(
        name="answers the third time",
        answers=("no_answer", "power_off", _READY),
        reasons=frozenset({_ARRANGED, _NOT_REACHED}),
        share=8,
    ),
    ScriptedCustomer(
        name="waits for parts", answers=(_PARTS_MISSING, _READY), reasons=frozenset({_ARRANGED}), share=12
    ),
    ScriptedCustomer(
        name="has no time", answers=(_BUSY_THESE_DAYS, _READY), reasons=frozenset({_ARRANGED}), share=6
    ),
    ScriptedCustomer(
        name="builds", answers=(_SITE_NOT_READY, _READY), reasons=frozenset({_ARRANGED}), share=6
    ),
    ScriptedCustomer(name="cancels", answers=(_CANCEL,), reasons=frozenset({_CANCELLED}), share=10),
    ScriptedCustomer(
        name="never answers", answers=("no_answer",), reasons=frozenset({_NOT_REACHED}), share=8
    ),
    ScriptedCustomer(name="is unclear", answers=(_UNCLEAR,), reasons=frozenset(), share=4),
    ScriptedCustomer(
        name="answers late",
        answers=(_READY, "no_answer"),
        reasons=frozenset({_ARRANGED, _NOT_REACHED}),
        share=6,
        late=True,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosOrder:
    """An order of a run: when and how it comes in, and whose it is."""

    task_id: str
    payload: Mapping[str, Any]
    customer: ScriptedCustomer
    entry: OrderEntry
    at: float
    """Seconds from the beginning."""
    repeated: bool
    """Whether it is sent again after it was accepted."""


def draw_orders(seed: int, *, number: int, seconds: float) -> tuple[ChaosOrder, ...]:
    """Return the orders of this seed, in the order of their moments."""
    drawn = random.Random(f"unpend chaos orders {seed}")  # noqa: S311 - the same for the same seed
    moments = sorted(drawn.uniform(0, seconds * _SENDING) for _ in range(number))
    return tuple(_order(drawn, nth, at) for nth, at in enumerate(moments, start=1))


def _order(drawn: random.Random, nth: int, at: float) -> ChaosOrder:
    (customer,) = drawn.choices(CUSTOMERS, weights=[each.share for each in CUSTOMERS])
    (entry,) = drawn.choices(list(_ENTRIES), weights=list(_ENTRIES.values()))
    task_id = f"HTC{nth:07}"
    return ChaosOrder(
        task_id=task_id,
        payload={
            "task_id": task_id,
            "order_id": f"SOC{nth:07}",
            "order_type": "未上门",
            "contact_count": 0,
            "priority": drawn.randint(1, 10),
            "metadata": {
                "customer_id": f"CUST{nth}",
                "phone": f"138{nth:08}",
                "pending_reason": "等待配件",
                "simulation": _script(drawn, customer),
            },
        },
        customer=customer,
        entry=entry,
        at=at,
        repeated=drawn.random() < _REPEATED,
    )


def _script(drawn: random.Random, customer: ScriptedCustomer) -> list[dict[str, Any]]:
    script: list[dict[str, Any]] = []
    for answer in customer.answers:
        attempt: dict[str, Any] = {"delay_seconds": round(drawn.uniform(0, _LONGEST_TALK), 2)}
        if isinstance(answer, str):
            attempt["result"] = answer
        else:
            attempt |= {"result": "answered", "transcript": drawn.choice(answer)}
        script.append(attempt)
    if customer.late:
        script[0]["delay_seconds"] = _LATE_SECONDS
    elif drawn.random() < _FAULTY:
        script[0]["fault"] = drawn.choice(_FAULTS)
    return script
