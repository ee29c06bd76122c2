"""Parses a language model's answer and applies it: it may stop an action, never allow one."""

import json
from dataclasses import dataclass, field, replace

from schemas.people.why import Why, WhyCode
from statemachine.orders.intents import INTENTS, Level2
from tools.classifier.classifier import Classification


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondOpinion:
    """The intent by the language model, and the customer's words it quotes as evidence."""

    level2: Level2
    evidence: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Discarded:
    """An invalid answer, with the reason; it is ignored."""

    reason: str


def read_second_opinion(content: object, *, text: str) -> SecondOpinion | Discarded:
    """Parse the completion about `text`, which must be the text the model was given.

    Nothing is repaired: an intent that is none, evidence that was not said, a field too many or a word around
    the JSON, and the answer is discarded. So a model that was talked into something says nothing here.
    """
    if not isinstance(content, str) or not content.strip():
        return Discarded("the answer is blank")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return Discarded("the answer is not JSON")
    if not isinstance(document, dict) or document.keys() != {"intent", "evidence"}:
        return Discarded("the answer has other fields than intent and evidence")
    intent, evidence = document["intent"], document["evidence"]
    if not isinstance(intent, str) or intent not in INTENTS:
        return Discarded("the intent is none of ours")
    if not isinstance(evidence, str) or not evidence.strip() or evidence not in text:
        return Discarded("the evidence was not said")
    return SecondOpinion(level2=Level2(intent), evidence=evidence)


def with_second_opinion(found: Classification, opinion: SecondOpinion | None) -> Classification:
    """Return the classification after a second opinion: unchanged, or with one more reason for review.

    Intent, confidence and flags stay those of the local model, and no reason is ever taken away.
    """
    if opinion is None or opinion.level2 is found.level2:
        return found
    why = Why(WhyCode.MODELS_DISAGREE, {"model": found.level2, "language_model": opinion.level2})
    return replace(found, requires_human_review=True, why=(*found.why, why))
