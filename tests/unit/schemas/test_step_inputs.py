"""The inputs of an order's steps: read from whatever a definition carries there."""

from datetime import UTC, date, datetime

import pytest

from schemas.orders.step_inputs import ActionInput, AnswerInput, ReviewInput, TaskInput

MOMENT = datetime(2026, 3, 16, 10, tzinfo=UTC)


def test_an_actions_input_is_read_from_json_and_what_is_unknown_is_ignored() -> None:
    given = ActionInput.of(
        {
            "intent_level1": "暂缓",
            "visit_until": "2026-03-18",
            "followup_at": "2026-03-16T10:00:00Z",
            "confidence": 0.9,
            "call": {"followup_days": 3, "action_type": "schedule_followup"},
        }
    )
    assert (given.intent_level1, given.visit_until, given.followup_at) == ("暂缓", date(2026, 3, 18), MOMENT)
    assert given.call.asked_followup() == {"followup_days": 3}


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({}, MOMENT),
        ({"followup_days": 3}, None),
        ({"followup_days": 3, "followup_by_default": False}, MOMENT),
        ({"followup_by_default": True}, None),
    ],
)
def test_a_follow_up_time_is_named_unless_it_is_the_intents_default(
    said: dict[str, object], named: datetime | None
) -> None:
    assert ActionInput.of({"followup_at": MOMENT, **said}).named_followup == named


def test_what_is_of_another_type_is_as_if_it_was_not_given() -> None:
    review = ReviewInput.of({"error": "broken", "confidence": "high", "origin": None})
    assert (review.error, review.confidence, review.origin) == (None, None, None)
    action = ActionInput.of({"call": {"followup_days": "three", "followup_rule": "weekly", "visit_at": 7}})
    assert (action.call.followup_days, action.call.followup_rule, action.call.visit_at) == (None, None, None)


def test_a_missing_input_is_none() -> None:
    assert AnswerInput.of({}).contact_id is None
    assert TaskInput.of({}).callable is False
