"""Classifies words that belong to no order, or checks a given classification."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from engine.actions import Batch
from engine.outcomes import Done, Failed, Outcome
from runtime.cipher import Cipher
from schemas.core.language import Language
from schemas.core.parameters import problems_with
from schemas.core.private_words import opened
from schemas.people.why import Why, WhyCode, documents_of
from schemas.people.wording import worded
from statemachine.orders.intents import INTENTS, Level1, Level2
from storage.engine.steps import StepRow
from tasks.orders.rules.context import Context
from tools.classifier.classifier import Classifier

LONGEST_TEXT: Final = 2_000
"""Characters a text may have; the classifier reads the first 500 and says when there were more."""

_TOLERANCE: Final = 0.05
"""How far a given confidence may lie above the model's own and still be called its confidence."""

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT, "writeOnly": True}
"""Somebody's words; `writeOnly` says that they are kept sealed and never given back (`schemas.core.private_words`)."""

_EITHER: Final[Mapping[str, object]] = {
    "if": {"required": ["user_input"]},
    "then": {"properties": {"text": {"not": {}}}},
    "else": {"required": ["text"]},
}
"""`user_input` is the seed's name of `text`; one of both."""

CLASSIFY: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {
        "text": _TEXT,
        "user_input": _TEXT,
        "pending_reason": {"type": "string", "maxLength": 500},
    },
    **_EITHER,
    "additionalProperties": False,
}
"""What `triage.classify_text` takes; `pending_reason` gives a bare 还没到 its subject."""

VALIDATE: Final[Mapping[str, object]] = {
    "type": "object",
    "properties": {
        "text": _TEXT,
        "user_input": _TEXT,
        "level1_intent": {"enum": [level1.value for level1 in Level1]},
        "level2_intent": {"enum": [level2.value for level2 in Level2]},
        "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        "pending_reason": {"type": "string", "maxLength": 500},
    },
    "required": ["level1_intent", "level2_intent", "confidence"],
    **_EITHER,
    "additionalProperties": False,
}
"""What `triage.validate_classification` takes: words, and what somebody read in them."""


def classify_text(classifier: Classifier, given: Mapping[str, Any]) -> dict[str, object]:
    """The intent of these words in the seed's form, with what follows from it (seed 000 section 四, Triage)."""
    found = classifier.classify(_words(given), pending_reason=given.get("pending_reason"))
    intent = INTENTS[found.level2]
    return {
        "classification": {
            "level1_intent": found.level1.value,
            "level2_intent": found.level2.value,
            "confidence": found.confidence,
            "requires_human_review": found.requires_human_review,
        },
        "suggested_action": intent.action,
        "followup_days": intent.followup_days,
        "flags": [flag.value for flag in found.flags],
        **_reasons(found.why),
    }


def validate_classification(classifier: Classifier, given: Mapping[str, Any]) -> dict[str, object]:
    """Whether the model reads these words as they were read, and whether a person must look all the same.

    `valid` is about the classification that was given; `requires_human_review` is also about the words: what
    the rules and guards make of them.
    """
    level1, level2 = Level1(given["level1_intent"]), Level2(given["level2_intent"])
    found = classifier.classify(_words(given), pending_reason=given.get("pending_reason"))
    disagreements: list[Why] = []
    if (parent := INTENTS[level2].level1) is not level1:
        named = {"intent": level2, "parent": parent, "given": level1}
        disagreements.append(Why(WhyCode.OTHER_PARENT, named))
    if found.level2 is not level2:
        disagreements.append(Why(WhyCode.OTHER_INTENT, {"model": found.level2, "given": level2}))
    elif given["confidence"] > found.confidence + _TOLERANCE:
        both = {"given": given["confidence"], "model": found.confidence}
        disagreements.append(Why(WhyCode.OTHER_CONFIDENCE, both))
    reasons = [*disagreements, *found.why]
    return {"valid": not disagreements, **_reasons(reasons), "requires_human_review": bool(reasons)}


def _reasons(reasons: Sequence[Why]) -> dict[str, object]:
    """As codes, and in Chinese."""
    return {
        "reasons": [worded(why, Language.CHINESE) for why in reasons],
        "why": documents_of(reasons),
    }


def _words(given: Mapping[str, Any]) -> str:
    return str(given.get("user_input") or given["text"])


def each_text(
    schema: Mapping[str, object], work: Callable[[Classifier, Mapping[str, Any]], dict[str, object]]
) -> Callable[[Context, Batch], Mapping[int, Outcome]]:
    """Work on a batch that is `work(classifier, input)` for each of its steps.

    A definition may lead here with an input nobody has checked, so it is held against the schema first.
    """

    def work_on_all(context: Context, batch: Batch) -> Mapping[int, Outcome]:
        return {
            step.step_id: _outcome(step, schema, partial(work, context.classifier), context.database.cipher)
            for step in batch.steps
        }

    return work_on_all


def _outcome(
    step: StepRow,
    schema: Mapping[str, object],
    work: Callable[[Mapping[str, Any]], dict[str, object]],
    cipher: Cipher,
) -> Outcome:
    given = opened(step.input, step.run_id, cipher)
    problems = problems_with(given, schema, "input")
    if problems:
        return Failed(
            code="invalid_input", message="; ".join(f"{each.field} {each.message}" for each in problems)
        )
    return Done(output=work(given))
