"""The customer's intents, in two levels, and the action of each (SPEC.md §4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from statemachine.orders.states import Event


class Level1(StrEnum):
    """The four first-level intents; the value is the one in JSON."""

    RESUME = "继续"
    POSTPONE = "暂缓"
    TERMINATE = "终止"
    UNCLEAR = "不明确"


class Level2(StrEnum):
    """The six second-level intents; each has one parent."""

    READY_TO_VISIT = "可上门"
    PARTS_PENDING = "配件未到"
    CUSTOMER_UNAVAILABLE = "客户不便"
    SITE_NOT_READY = "现场或审批未就绪"
    NO_LONGER_NEEDED = "不再需要"
    NEEDS_HUMAN = "需人工"


@dataclass(frozen=True, slots=True)
class Intent:
    """One row of the table: a second-level intent, its parent, its action."""

    level2: Level2
    level1: Level1
    action: str | None
    followup_days: int | None = None


INTENTS: Final[Mapping[Level2, Intent]] = MappingProxyType(
    {
        intent.level2: intent
        for intent in (
            Intent(Level2.READY_TO_VISIT, Level1.RESUME, "update_appointment"),
            Intent(Level2.PARTS_PENDING, Level1.POSTPONE, "schedule_followup", 3),
            Intent(Level2.CUSTOMER_UNAVAILABLE, Level1.POSTPONE, "schedule_followup", 3),
            Intent(Level2.SITE_NOT_READY, Level1.POSTPONE, "schedule_followup", 7),
            Intent(Level2.NO_LONGER_NEEDED, Level1.TERMINATE, "cancel_order"),
            Intent(Level2.NEEDS_HUMAN, Level1.UNCLEAR, None),
        )
    },
)

ROUND_ENDS: Final[Mapping[Level1, Event]] = MappingProxyType(
    {
        Level1.RESUME: Event.INTENT_RESUME,
        Level1.POSTPONE: Event.INTENT_POSTPONE,
        Level1.TERMINATE: Event.INTENT_TERMINATE,
    },
)
"""The event that ends a round, by the intent that was carried out."""
