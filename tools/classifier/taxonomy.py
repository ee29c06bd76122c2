"""The classifier's labels: the intents of `statemachine.orders.intents`, and safety flags."""

from enum import StrEnum

from statemachine.orders.intents import INTENTS, Intent, Level1, Level2

__all__ = ["INTENT_OF", "TAXONOMY", "Flag", "Intent", "Level1", "Level2", "parent_of"]


class Flag(StrEnum):
    """A matter that needs a person whatever the intent: the five of SPEC §4, and `emergency`, which is ours."""

    DO_NOT_CONTACT = "do_not_contact"
    COMPLAINT = "complaint"
    WRONG_NUMBER = "wrong_number"
    INJECTION = "injection"
    CONTRADICTION = "contradiction"
    EMERGENCY = "emergency"


INTENT_OF = INTENTS
"""The row of each level-2 intent."""

TAXONOMY: tuple[Intent, ...] = tuple(INTENTS.values())
"""The rows in their order, which is that of the model's outputs."""


def parent_of(level2: Level2) -> Level1:
    """The level-1 intent that `level2` belongs to."""
    return INTENTS[level2].level1
