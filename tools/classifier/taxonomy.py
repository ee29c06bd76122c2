"""What a customer may want: the one table of intents, actions and safety flags (SPEC §4)."""

from dataclasses import dataclass
from enum import StrEnum


class Level1(StrEnum):
    """The four intents that decide what happens to the order. The values go over the wire."""

    RESUME = "继续"
    POSTPONE = "暂缓"
    TERMINATE = "终止"
    UNCLEAR = "不明确"


class Level2(StrEnum):
    """The six reasons behind an intent, each with one parent. The values go over the wire."""

    READY_TO_VISIT = "可上门"
    PARTS_PENDING = "配件未到"
    CUSTOMER_UNAVAILABLE = "客户不便"
    SITE_NOT_READY = "现场或审批未就绪"
    NO_LONGER_NEEDED = "不再需要"
    NEEDS_HUMAN = "需人工"


class Action(StrEnum):
    """What an intent leads to."""

    UPDATE_APPOINTMENT = "update_appointment"
    SCHEDULE_FOLLOWUP = "schedule_followup"
    CANCEL_ORDER = "cancel_order"
    HUMAN_REVIEW = "human_review"


class Flag(StrEnum):
    """What must reach a person whatever the intent is."""

    DO_NOT_CONTACT = "do_not_contact"
    COMPLAINT = "complaint"
    WRONG_NUMBER = "wrong_number"
    INJECTION = "injection"
    CONTRADICTION = "contradiction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One row of the taxonomy.

    `followup_days` is the default wait in days, for intents that end in a follow-up; None elsewhere.
    """

    level2: Level2
    level1: Level1
    action: Action
    followup_days: int | None = None


TAXONOMY: tuple[Intent, ...] = (
    Intent(level2=Level2.READY_TO_VISIT, level1=Level1.RESUME, action=Action.UPDATE_APPOINTMENT),
    Intent(
        level2=Level2.PARTS_PENDING,
        level1=Level1.POSTPONE,
        action=Action.SCHEDULE_FOLLOWUP,
        followup_days=3,
    ),
    Intent(
        level2=Level2.CUSTOMER_UNAVAILABLE,
        level1=Level1.POSTPONE,
        action=Action.SCHEDULE_FOLLOWUP,
        followup_days=3,
    ),
    Intent(
        level2=Level2.SITE_NOT_READY,
        level1=Level1.POSTPONE,
        action=Action.SCHEDULE_FOLLOWUP,
        followup_days=7,
    ),
    Intent(level2=Level2.NO_LONGER_NEEDED, level1=Level1.TERMINATE, action=Action.CANCEL_ORDER),
    Intent(level2=Level2.NEEDS_HUMAN, level1=Level1.UNCLEAR, action=Action.HUMAN_REVIEW),
)

INTENT_OF: dict[Level2, Intent] = {intent.level2: intent for intent in TAXONOMY}


def parent_of(level2: Level2) -> Level1:
    """The level-1 intent that `level2` belongs to."""
    return INTENT_OF[level2].level1
