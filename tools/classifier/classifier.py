"""The classifier: text in; intent, confidence and need for review out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from schemas.people.why import Why, WhyCode
from tools.classifier.context import spell_out
from tools.classifier.explain import ClassificationExplanation
from tools.classifier.features import features
from tools.classifier.guards import Proposal, reasons_for_review
from tools.classifier.model import Model, WeightsError, load_model
from tools.classifier.normal_form import is_cut, normalize
from tools.classifier.rules import Evidence, RuleSet, load_rules
from tools.classifier.spans import spans_in
from tools.classifier.taxonomy import TAXONOMY, Flag, Level1, Level2, parent_of
from tools.quotation import worded
from tools.span import Span

CONFIDENCE_DIGITS = 4
_REMEMBERED: Final = 4096
"""Classifications that a process keeps: what customers answer repeats itself."""
_LONGEST_REMEMBERED: Final = 60
"""Characters; what is longer is hardly said twice."""
_TOP_CONTRIBUTIONS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Classification:
    """The customer's intent, and whether a person must review it before any action.

    `confidence` is the probability of `level1`, rounded to four digits; routing reads this value.
    `why` says why a review is needed; it is empty exactly when none is. `model_hash` names the weights, and with
    them the rules, that decided.
    """

    level1: Level1
    level2: Level2
    confidence: float
    requires_human_review: bool
    flags: tuple[Flag, ...]
    why: tuple[Why, ...]
    model_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One text on its way through: as the rules and the model see it."""

    text: str
    evidence: Evidence
    features: list[str]


class Classifier:
    """Classifies what a customer said. Pure, deterministic, safe to share between threads."""

    def __init__(self, *, model: Model, rules: RuleSet) -> None:
        self._model = model
        self._rules = rules
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._classify)

    @classmethod
    def load(cls, weights: Path, rules: Path) -> "Classifier":
        """Load the weights and the rules they were trained with.

        Raises:
            WeightsError: the weights are missing, fail their manifest, or were trained with other rules.
            RulesError: the rules are missing or bad.
        """
        rule_set = load_rules(rules)
        model = load_model(weights)
        if model.rules_sha256 != rule_set.sha256:
            raise WeightsError(
                f"{weights}: was trained with other rules than {rules} "
                f"(sha256 {model.rules_sha256[:12]}…, not {rule_set.sha256[:12]}…); "
                "train again after a change of rules"
            )
        return cls(model=model, rules=rule_set)

    @property
    def model_hash(self) -> str:
        """The sha256 of the weights, which hold that of the rules."""
        return self._model.sha256

    def classify(self, text: str, *, pending_reason: str | None = None) -> Classification:
        """Return the intent of `text`; never raises, whatever the text.

        At most 500 characters are read; a longer text goes to a person. `pending_reason`, why the order was
        suspended, only gives a bare 还没到 or 到了 its subject.
        """
        if len(text) <= _LONGEST_REMEMBERED:
            return self._remembered(text, pending_reason)
        return self._classify(text, pending_reason)

    def _classify(self, text: str, pending_reason: str | None) -> Classification:
        reading = self._read(text, pending_reason)
        if not self._model.knows_any(reading.features):
            return self._unreadable(reading.evidence)
        proposal = self._propose(reading)
        why = reasons_for_review(proposal, reading.evidence, text, cut=is_cut(text))
        return Classification(
            level1=proposal.level1,
            level2=proposal.level2,
            confidence=proposal.confidence,
            requires_human_review=bool(why),
            flags=reading.evidence.flags,
            why=why,
            model_hash=self._model.sha256,
        )

    def judge(
        self,
        text: str,
        *,
        level2: Level2,
        confidence: float,
        read_by: str,
        pending_reason: str | None = None,
    ) -> Classification:
        """Apply the guards to another model's reading of `text`, used in place of our model's.

        `read_by` names them as `model_hash` names the weights.
        """
        proposal = Proposal(
            level1=parent_of(level2), level2=level2, confidence=round(confidence, CONFIDENCE_DIGITS)
        )
        evidence = self._read(text, pending_reason).evidence
        why = reasons_for_review(proposal, evidence, text, cut=is_cut(text))
        return Classification(
            level1=proposal.level1,
            level2=level2,
            confidence=proposal.confidence,
            requires_human_review=bool(why),
            flags=evidence.flags,
            why=why,
            model_hash=read_by,
        )

    def probabilities(self, text: str, *, pending_reason: str | None = None) -> Mapping[Level2, float]:
        """Return the calibrated probability of every level-2 intent, unrounded, in the taxonomy's order."""
        reading = self._read(text, pending_reason)
        found = self._model.probabilities(reading.features)
        return {intent.level2: found[intent.level2] for intent in TAXONOMY}

    def explain(self, text: str) -> ClassificationExplanation:
        """Return why `text` is classified as it is: rule hits, n-grams with weights, guards that fired."""
        reading = self._read(text, None)
        verdict = self.classify(text)
        found = self._model.contributions(reading.features)
        return ClassificationExplanation(
            normal_form=reading.text,
            level2=verdict.level2,
            confidence=verdict.confidence,
            hits=reading.evidence.hits,
            contributions=tuple(each for each in found if each.intent is verdict.level2)[:_TOP_CONTRIBUTIONS],
            guards=tuple(Why(why.code, worded(why.params, text)) for why in verdict.why),
            flags=verdict.flags,
        )

    def spans_of(
        self,
        text: str,
        *,
        level2: Level2 | None = None,
        confidence: float = 0.0,
        pending_reason: str | None = None,
    ) -> Sequence[Span]:
        """Return the words of `text` that decided, in order: where they stand, and what they speak for.

        Of another model's reading `level2` and `confidence` are given. Nothing is remembered: it is for who looks.
        """
        found = (
            self._classify(text, pending_reason)
            if level2 is None
            else self.judge(
                text, level2=level2, confidence=confidence, read_by="", pending_reason=pending_reason
            )
        )
        why = {each.code for each in found.why}
        return spans_in(text, self._rules, level2=found.level2, why=why, pending_reason=pending_reason)

    def _read(self, text: str, pending_reason: str | None) -> _Reading:
        spoken = spell_out(normalize(text), pending_reason)
        repaired = self._rules.repair(spoken)
        evidence = self._rules.read(repaired, spoken=spoken)
        return _Reading(text=repaired, evidence=evidence, features=features(repaired, evidence.flags))

    def _propose(self, reading: _Reading) -> Proposal:
        found = self._model.probabilities(reading.features)
        if Flag.INJECTION in reading.evidence.flags:
            # Words that address the system choose no intent, whatever they make the model believe.
            return Proposal(
                level1=Level1.UNCLEAR,
                level2=Level2.NEEDS_HUMAN,
                confidence=round(found[Level2.NEEDS_HUMAN], CONFIDENCE_DIGITS),
            )
        level1_share = {
            level1: round(
                sum(found[intent.level2] for intent in TAXONOMY if intent.level1 is level1), CONFIDENCE_DIGITS
            )
            for level1 in Level1
        }
        level1 = max(level1_share, key=level1_share.__getitem__)
        level2 = max((intent.level2 for intent in TAXONOMY if intent.level1 is level1), key=found.__getitem__)
        return Proposal(level1=level1, level2=level2, confidence=min(level1_share[level1], 1.0))

    def _unreadable(self, evidence: Evidence) -> Classification:
        return Classification(
            level1=Level1.UNCLEAR,
            level2=Level2.NEEDS_HUMAN,
            confidence=0.0,
            requires_human_review=True,
            flags=evidence.flags,
            why=(Why(WhyCode.UNREADABLE),),
            model_hash=self._model.sha256,
        )
