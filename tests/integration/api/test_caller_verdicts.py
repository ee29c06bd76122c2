"""A classification of an outside agent's own passes the guards that the fleet's own passes (SPEC.md §4)."""

import pytest

from tests.support.api.client import ApiClient
from tests.support.api.outside_agents import begun, contacted, executed, moved, said, state
from tests.support.factories import CANCEL, PARTS_MISSING, READY


def judged(caller: ApiClient, words: str, level2: str, confidence: float) -> str:
    """An order whose customer said these words, classified so by a caller of its own judgement."""
    task_id = begun(caller, "HT1", said(words))
    contacted(caller, task_id)
    given = {"level2_intent": level2, "confidence": confidence}
    answer = moved(caller, task_id, "responded", "triage.complete", "classified", **given)
    assert answer.status_code == 200, answer.text
    return task_id


@pytest.mark.parametrize(
    ("words", "level2", "why"),
    [
        (PARTS_MISSING, "不再需要", "cancel_not_explicit"),
        (PARTS_MISSING, "不再需要", "rules_read_other"),
        ("已经修好了", "不再需要", "cancel_not_explicit"),
        ("配件到了，可以安排师傅上门了，我要投诉", "可上门", "flag_complaint"),
        ("嗯，配件到了，来吧，也可以再等等", "可上门", "flag_contradiction"),
        ("打错了，我不是机主", "可上门", "flag_wrong_number"),
        ("别再打电话给我了", "可上门", "flag_do_not_contact"),
    ],
)
def test_a_callers_verdict_that_the_words_speak_against_goes_to_a_person(
    manual: ApiClient, words: str, level2: str, why: str
) -> None:
    task_id = judged(manual, words, level2, 0.99)
    (review,) = manual.get(f"/reviews?task_id={task_id}").json()["reviews"]
    assert review["reason"] == "needs_confirmation"
    assert why in {one["code"] for one in review["why"]}
    action = "cancel_order" if level2 == "不再需要" else "update_appointment"
    assert executed(manual, task_id, action).status_code == 409
    assert state(manual, task_id) == "classified"


@pytest.mark.parametrize(
    ("words", "level2", "confidence"), [(READY, "可上门", 0.85), (CANCEL, "不再需要", 0.95)]
)
def test_a_callers_verdict_that_the_words_bear_out_needs_no_person(
    manual: ApiClient, words: str, level2: str, confidence: float
) -> None:
    task_id = judged(manual, words, level2, confidence)
    assert manual.get(f"/reviews?task_id={task_id}").json()["reviews"] == []
    assert manual.house.order(task_id).user_intent_l2 == level2


def test_a_callers_verdict_of_too_little_confidence_to_cancel_goes_to_a_person(manual: ApiClient) -> None:
    task_id = judged(manual, CANCEL, "不再需要", 0.85)
    (review,) = manual.get(f"/reviews?task_id={task_id}").json()["reviews"]
    assert "90%" in review["question"]
