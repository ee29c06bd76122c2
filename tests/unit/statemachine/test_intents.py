"""The two levels of intents and what each leads to (SPEC.md §4)."""

from statemachine.orders.intents import INTENTS, ROUND_ENDS, Level1, Level2
from statemachine.orders.states import Event

SPECIFIED = {
    "可上门": ("继续", "update_appointment", None),
    "配件未到": ("暂缓", "schedule_followup", 3),
    "客户不便": ("暂缓", "schedule_followup", 3),
    "现场或审批未就绪": ("暂缓", "schedule_followup", 7),
    "不再需要": ("终止", "cancel_order", None),
    "需人工": ("不明确", None, None),
}


def test_every_second_level_intent_has_the_parent_action_and_followup_that_are_specified() -> None:
    assert {
        key.value: (intent.level1.value, intent.action, intent.followup_days)
        for key, intent in INTENTS.items()
    } == SPECIFIED


def test_every_intent_stands_under_its_own_name() -> None:
    assert INTENTS.keys() == set(Level2)
    assert all(intent.level2 is key for key, intent in INTENTS.items())


def test_every_first_level_intent_has_a_child() -> None:
    assert {intent.level1 for intent in INTENTS.values()} == set(Level1)


def test_every_intent_that_can_be_carried_out_ends_the_round_by_the_event_that_names_it() -> None:
    assert {level1: event.value for level1, event in ROUND_ENDS.items()} == {
        level1: f"intent={level1}" for level1 in Level1 if level1 is not Level1.UNCLEAR
    }
    assert {intent.level1 for intent in INTENTS.values() if intent.action} == ROUND_ENDS.keys()


def test_only_postponing_waits_for_a_followup() -> None:
    waiting = {intent.level1 for intent in INTENTS.values() if intent.followup_days}
    assert waiting == {Level1.POSTPONE}
    assert ROUND_ENDS[Level1.POSTPONE] is Event.INTENT_POSTPONE
