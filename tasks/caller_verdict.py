"""A classification that an outside agent made: it passes the guards that the fleet's own passes (SPEC.md §4)."""

from collections.abc import Mapping
from typing import Any, Final

from statemachine.intents import INTENTS, Level2
from tasks.context import Context
from tools.classifier.classifier import CONFIDENCE_DIGITS, Classification
from tools.classifier.context import spell_out
from tools.classifier.guards import Proposal, reasons_for_review
from tools.classifier.normal_form import is_cut, normalize

GIVEN_BY_CALLER: Final = "given by the caller"
"""What stands for a model where an outside agent classified."""


def caller_verdict(
    call: Mapping[str, Any], words: str, pending_reason: str | None, context: Context
) -> Classification | None:
    """The classification that the caller of a step gave, judged by the customer's words; `None` without one.

    The caller stands in the model's place: whatever it makes of the words, what the rules read in them and the
    flags they raise send it to a person as they would the model's.
    """
    given = call.get("classification")
    if not isinstance(given, Mapping):
        return None
    level2 = Level2(given["level2_intent"])
    proposal = Proposal(
        level1=INTENTS[level2].level1,
        level2=level2,
        confidence=round(float(given["confidence"]), CONFIDENCE_DIGITS),
    )
    spoken = spell_out(normalize(words), pending_reason)
    evidence = context.rules.read(context.rules.repair(spoken), spoken=spoken)
    reasons = reasons_for_review(proposal, evidence, cut=is_cut(words))
    return Classification(
        level1=proposal.level1,
        level2=level2,
        confidence=proposal.confidence,
        requires_human_review=bool(reasons),
        flags=evidence.flags,
        reasons=reasons,
        model_hash=GIVEN_BY_CALLER,
    )
