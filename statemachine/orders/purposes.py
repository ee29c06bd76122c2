"""The purposes of steps by which the code of orders finds its way in a definition, whatever its steps are called."""

from enum import StrEnum
from typing import Final

from statemachine.workflow.checks.purposes import PurposeNeed
from statemachine.workflow.definition import Kind


class Purpose(StrEnum):
    """What a step of an order's definition is for."""

    ANSWER = "answer"
    """Classifies what the customer said; an answer that comes by itself leads here."""
    REVIEW = "review"
    """A person decides how the order goes on."""


NEEDS: Final = (
    PurposeNeed(purpose=Purpose.ANSWER, kind=Kind.ACTION, action="triage.classify_intent"),
    PurposeNeed(purpose=Purpose.REVIEW, kind=Kind.HUMAN, action="orchestrator.decide_review"),
)
"""What every definition that carries orders out must have."""
