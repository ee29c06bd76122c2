"""Why a text was classified as it was, for people."""

from dataclasses import dataclass

from tools.classifier.model import Contribution
from tools.classifier.rules import RuleHit
from tools.classifier.taxonomy import Flag, Level2


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationExplanation:
    """What the rules saw, which n-grams weighed most for the chosen intent, and the guards that fired."""

    normal_form: str
    level2: Level2
    confidence: float
    hits: tuple[RuleHit, ...]
    contributions: tuple[Contribution, ...]
    guards: tuple[str, ...]
    flags: tuple[Flag, ...]
