"""Evaluates the model by people's decisions in production: its precision, and whether that is proven."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.classifier.taxonomy import TAXONOMY, Level2, parent_of
from training.wilson import still_needed, wilson

PRECISION_TO_PROVE: Final = 0.99
"""What an intent's precision must at least be, by the low end of its interval, to be carried out unseen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision:
    """The model's classification and the person's of the same words.

    `level2` is `None` where the person was asked to confirm and chose no intent: what the fleet would have done
    was not confirmed. `automatic`: the fleet would have gone on by itself.
    """

    predicted: Level2
    automatic: bool
    level2: Level2 | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """How often automatic decisions were right, and whether that is proven.

    `level2` is `None` for all intents together. `low` and `high` bound the precision of level 2, 19 times of 20;
    `still_needed` is how many more must be seen, all of them right, until it is proven.
    """

    level2: Level2 | None
    count: int
    right: int
    right_level1: int
    low: float
    high: float
    still_needed: int

    @property
    def precision(self) -> float | None:
        """The share that was right; `None` when there are none."""
        return self.right / self.count if self.count else None

    @property
    def is_proven(self) -> bool:
        """Whether the precision is at least `PRECISION_TO_PROVE`."""
        return self.still_needed == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The figures of a record. `confusion` counts (the person's intent, the model's); "" stands for none.

    `sent_to_people` and `sent_right` are of the decisions that a person had to make anyway: how many, and in how
    many of them the model had read the intent that the person chose.
    """

    count: int
    proofs: tuple[Proof, ...]
    overall: Proof
    sent_to_people: int
    sent_right: int
    confusion: Mapping[tuple[str, str], int]


def judge_record(decisions: Sequence[RecordedDecision]) -> Record:
    """Return the figures of these decisions; every intent with an action has a proof, even an empty one."""
    automatic = [each for each in decisions if each.automatic]
    others = [each for each in decisions if not each.automatic]
    return Record(
        count=len(decisions),
        proofs=tuple(
            _proof(intent.level2, [each for each in automatic if each.predicted is intent.level2])
            for intent in TAXONOMY
            if intent.action is not None
        ),
        overall=_proof(None, automatic),
        sent_to_people=len(others),
        sent_right=sum(each.level2 is each.predicted for each in others),
        confusion=Counter(
            (each.level2.value if each.level2 else "", each.predicted.value) for each in decisions
        ),
    )


def _proof(level2: Level2 | None, decisions: Sequence[RecordedDecision]) -> Proof:
    count, right = len(decisions), sum(each.level2 is each.predicted for each in decisions)
    between = wilson(right, count)
    return Proof(
        level2=level2,
        count=count,
        right=right,
        right_level1=sum(
            each.level2 is not None and parent_of(each.level2) is parent_of(each.predicted)
            for each in decisions
        ),
        low=round(between.low, 4),
        high=round(between.high, 4),
        still_needed=still_needed(right, count, least=PRECISION_TO_PROVE),
    )
