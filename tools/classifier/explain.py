"""Explanations of a classification, for people."""

from dataclasses import dataclass

from schemas.people.why import Why
from tools.classifier.model import Contribution
from tools.classifier.rules import RuleHit
from tools.classifier.taxonomy import Flag, Level2


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationExplanation:
    """Rule hits, the n-grams with the greatest weight for the intent, and the guards that applied."""

    normal_form: str
    level2: Level2
    confidence: float
    hits: tuple[RuleHit, ...]
    contributions: tuple[Contribution, ...]
    guards: tuple[Why, ...]
    flags: tuple[Flag, ...]
