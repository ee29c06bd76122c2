"""A classification given by an outside agent, checked by the same guards as the fleet's own (SPEC.md §4)."""

from typing import Final

from schemas.orders.step_inputs import GivenClassification
from tasks.orders.rules.context import Context
from tools.classifier.classifier import Classification

GIVEN_BY_CALLER: Final = "given by the caller"
"""What stands for a model where an outside agent classified."""


def caller_classification(
    given: GivenClassification | None, words: str, pending_reason: str | None, context: Context
) -> Classification | None:
    """The classification that the caller of a step gave, judged by the customer's words; `None` without one.

    The caller stands in the model's place: whatever it makes of the words, what the rules read in them and the
    flags they raise send it to a person as they would the model's.
    """
    if given is None:
        return None
    return context.classifier.judge(
        words,
        level2=given.level2_intent,
        confidence=given.confidence,
        read_by=GIVEN_BY_CALLER,
        pending_reason=pending_reason,
    )
