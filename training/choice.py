"""The rules for replacing the model in use (champion) by a new one (challenger)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from training.evaluation import Evaluation

LEAST_HELD_OUT: Final = 50
"""Held-out texts without which nothing is compared."""

CHANCE: Final = 0.05
"""How likely at most two equally good models part as far as these two, for the challenger to count as better."""

ACCURACY_TO_LOSE: Final = 0.005
"""How much of the accuracies the challenger may lose on the corpus."""

PRECISION_TO_LOSE: Final = 0.001
"""How much of the precision of what is automatic it may lose on the corpus; on held-out labels it may lose none."""

CALIBRATION_TO_LOSE: Final = 0.01
"""How much worse its expected calibration error may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigures:
    """The figures by which two models are compared; the shares lie between 0 and 1."""

    count: int
    accuracy_level1: float
    accuracy_level2: float
    expected_calibration_error: float
    automatic_share: float
    automatic_precision_level1: float
    automatic_precision_level2: float
    wrong_automatic_cancellations: int

    @classmethod
    def of(cls, evaluation: Evaluation) -> "ModelFigures":
        """Return these figures of an evaluation, without any utterance."""
        return cls(
            count=evaluation.count,
            accuracy_level1=evaluation.accuracy_level1,
            accuracy_level2=evaluation.accuracy_level2,
            expected_calibration_error=evaluation.expected_calibration_error,
            automatic_share=evaluation.automatic_share,
            automatic_precision_level1=evaluation.automatic_precision_level1,
            automatic_precision_level2=evaluation.automatic_precision_level2,
            wrong_automatic_cancellations=len(evaluation.wrong_automatic_cancellations),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The figures of champion and challenger on the same utterances."""

    champion: ModelFigures
    challenger: ModelFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Whether the challenger replaces the champion, with the reasons."""

    switch: bool
    reasons: tuple[str, ...]


def choose(*, held_out: Comparison, corpus: Comparison, won: int, lost: int) -> Choice:
    """Decide whether the challenger replaces the champion.

    `won` counts the held-out texts whose level 2 only the challenger reads rightly, `lost` those only the
    champion does. It must win more than chance explains, and nothing that matters may be worse: no more wrong
    automatic cancellations, no less precision of what is automatic, the corpus read as well as before.
    """
    against = [
        *_against("held-out labels", held_out, 0.0),
        *_against("the corpus", corpus, PRECISION_TO_LOSE),
    ]
    against += _less_accurate(corpus)
    chance = chance_of(won, lost)
    if chance > CHANCE:
        against.append(
            f"it reads {won} held-out texts rightly that the champion does not, and {lost} the other way round: "
            f"chance alone would do so with a probability of {chance:.2f}, at most {CHANCE:.2f} is asked for"
        )
    if against:
        return Choice(switch=False, reasons=tuple(against))
    better = (
        f"it reads {won} held-out texts rightly that the champion does not, and {lost} the other way round"
    )
    return Choice(switch=True, reasons=(f"{better} (chance {chance:.3f}); nothing that is watched is worse",))


def chance_of(won: int, lost: int) -> float:
    """Return the p-value of the exact one-sided sign test: a fair coin wins at least this often."""
    tosses = won + lost
    return sum(math.comb(tosses, heads) for heads in range(won, tosses + 1)) / (1 << tosses)


def _against(where: str, found: Comparison, precision_to_lose: float) -> Iterator[str]:
    old, new = found.champion, found.challenger
    if new.wrong_automatic_cancellations > old.wrong_automatic_cancellations:
        yield (
            f"on {where} it would cancel {new.wrong_automatic_cancellations} orders wrongly by itself, the "
            f"champion {old.wrong_automatic_cancellations}"
        )
    for level, before, after in (
        (1, old.automatic_precision_level1, new.automatic_precision_level1),
        (2, old.automatic_precision_level2, new.automatic_precision_level2),
    ):
        if after < before - precision_to_lose:
            yield f"on {where} the precision of what is automatic falls at level {level}: {before:.4f} → {after:.4f}"


def _less_accurate(found: Comparison) -> Iterator[str]:
    old, new = found.champion, found.challenger
    for level, before, after in (
        (1, old.accuracy_level1, new.accuracy_level1),
        (2, old.accuracy_level2, new.accuracy_level2),
    ):
        if after < before - ACCURACY_TO_LOSE:
            yield f"on the corpus its accuracy falls at level {level}: {before:.4f} → {after:.4f}"
    before, after = old.expected_calibration_error, new.expected_calibration_error
    if after > before + CALIBRATION_TO_LOSE:
        yield f"on the corpus its calibration error rises: {before:.4f} → {after:.4f}"
