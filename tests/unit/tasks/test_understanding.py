"""What the triage agent makes of words alone, and of what others read in them."""

from typing import Any

import pytest

from schemas.core.parameters import problems_with, require_schema
from tasks.orders.agents.report import REPORT
from tasks.orders.agents.understanding import CLASSIFY, VALIDATE, classify_text, validate_classification
from tests.support.factories import CANCEL, PARTS_MISSING, READY
from tools.classifier.classifier import Classifier
from tools.classifier.files import default_paths


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    files = default_paths()
    return Classifier.load(files.weights, files.rules)


def check(
    classifier: Classifier, text: str, level1: str, level2: str, confidence: float = 0.9
) -> dict[str, Any]:
    given = {"text": text, "level1_intent": level1, "level2_intent": level2, "confidence": confidence}
    assert problems_with(given, VALIDATE) == []
    return validate_classification(classifier, given)


def test_what_the_actions_take_is_described_soundly() -> None:
    for schema in (CLASSIFY, VALIDATE, REPORT):
        require_schema(schema)


def test_words_are_classified_in_the_seeds_form(classifier: Classifier) -> None:
    found = classify_text(classifier, {"text": PARTS_MISSING})
    classification = found["classification"]
    assert isinstance(classification, dict)
    assert (classification["level1_intent"], classification["level2_intent"]) == ("暂缓", "配件未到")
    assert classification["requires_human_review"] is False
    assert classification["confidence"] >= 0.8
    assert (found["suggested_action"], found["followup_days"]) == ("schedule_followup", 3)


def test_words_that_say_nothing_suggest_no_action(classifier: Classifier) -> None:
    found = classify_text(classifier, {"text": "喂？听不清，你说什么"})
    assert (found["suggested_action"], found["followup_days"]) == (None, None)
    assert found["reasons"]


def test_a_bare_answer_is_understood_by_why_the_order_was_suspended(classifier: Classifier) -> None:
    found = classify_text(classifier, {"text": "还没到", "pending_reason": "等待配件"})
    assert found["classification"]["level2_intent"] == "配件未到"  # type: ignore[index]


def test_a_classification_the_model_shares_is_valid(classifier: Classifier) -> None:
    assert check(classifier, READY, "继续", "可上门") == {
        "valid": True,
        "reasons": [],
        "why": [],
        "requires_human_review": False,
    }


def test_another_reading_than_the_models_is_not_valid(classifier: Classifier) -> None:
    found = check(classifier, PARTS_MISSING, "继续", "可上门")
    assert (found["valid"], found["requires_human_review"]) == (False, True)
    assert "配件未到" in found["reasons"][0]


def test_a_second_level_belongs_to_one_first_level(classifier: Classifier) -> None:
    found = check(classifier, PARTS_MISSING, "继续", "配件未到")
    assert found["valid"] is False
    assert "属于暂缓" in found["reasons"][0]
    named = {"intent": "配件未到", "parent": "暂缓", "given": "继续"}
    assert found["why"][0] == {"code": "other_parent", "params": named}


def test_a_confidence_far_above_the_models_is_not_valid(classifier: Classifier) -> None:
    text = "先不修了吧，还是算了"
    own = classify_text(classifier, {"text": text})["classification"]
    assert isinstance(own, dict)
    found = check(classifier, text, own["level1_intent"], own["level2_intent"], 1.0)
    assert found["valid"] is (own["confidence"] >= 0.95)


def test_what_the_guards_stop_needs_a_person_however_right_it_was_read(classifier: Classifier) -> None:
    text = CANCEL + "，再打电话我就投诉你们"
    own = classify_text(classifier, {"text": text})["classification"]
    assert isinstance(own, dict)
    found = check(classifier, text, own["level1_intent"], own["level2_intent"], own["confidence"])
    assert (found["valid"], found["requires_human_review"]) == (True, True)
