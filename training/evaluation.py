"""Evaluates a classifier on labelled utterances: accuracy, calibration, and what it would do automatically."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.classifier.classifier import Classification, Classifier
from tools.classifier.taxonomy import Level1, parent_of
from training.dataset import Utterance

BINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """The utterances with a confidence in [low, high): their mean confidence and accuracy."""

    low: float
    high: float
    count: int
    mean_confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScore:
    """The figures of one group of the corpus."""

    count: int
    accuracy_level1: float
    accuracy_level2: float
    automatic_share: float
    automatic_errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """An utterance whose second-level intent was classified wrongly."""

    utterance: Utterance
    classification: Classification

    @property
    def is_automatic(self) -> bool:
        """Whether the wrong action would have been carried out without a person."""
        return not self.classification.requires_human_review


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The figures of one evaluation; every share lies between 0 and 1.

    `expected_calibration_error` is that of level 1, ten bins. `confusion` counts (truth, read) of level 2.
    `automatic_share` is of all utterances, `automatic_share_actionable` of those whose truth is not 不明确;
    the precisions are those of what would be carried out without a person (1 when that is nothing).
    `confident_share` and `confident_precision` are those of confidence ≥ 0.80 without the guards.
    """

    count: int
    accuracy_level1: float
    accuracy_level2: float
    expected_calibration_error: float
    reliability: tuple[ReliabilityBin, ...]
    confusion: Mapping[tuple[str, str], int]
    automatic_share: float
    automatic_share_actionable: float
    automatic_precision_level1: float
    automatic_precision_level2: float
    confident_share: float
    confident_precision: float
    wrong_automatic_cancellations: tuple[str, ...]
    groups: Mapping[str, GroupScore]
    mistakes: tuple[Mistake, ...]


_Judged = tuple[Utterance, Classification]


def evaluate(classifier: Classifier, rows: Sequence[Utterance]) -> Evaluation:
    """Classify every utterance and compare it with its label.

    Raises:
        ValueError: there are no rows.
    """
    return judge([(row, classifier.classify(row.text)) for row in rows])


def judge(judged: Sequence[_Judged]) -> Evaluation:
    """Return the figures of utterances that are already classified.

    Raises:
        ValueError: there are none.
    """
    if not judged:
        raise ValueError("nothing to evaluate: there are no utterances")
    automatic = [pair for pair in judged if not pair[1].requires_human_review]
    actionable = [pair for pair in judged if parent_of(pair[0].level2) is not Level1.UNCLEAR]
    confident = [pair for pair in judged if pair[1].confidence >= 0.80]  # noqa: PLR2004 - SPEC §2, step 6
    reliability = _reliability(judged)
    return Evaluation(
        count=len(judged),
        accuracy_level1=_share(judged, _right_level1),
        accuracy_level2=_share(judged, _right_level2),
        expected_calibration_error=round(
            sum(each.count * abs(each.mean_confidence - each.accuracy) for each in reliability) / len(judged),
            4,
        ),
        reliability=reliability,
        confusion=Counter((row.level2.value, found.level2.value) for row, found in judged),
        automatic_share=_share(judged, _is_automatic),
        automatic_share_actionable=_share(actionable, _is_automatic),
        automatic_precision_level1=_share(automatic, _right_level1),
        automatic_precision_level2=_share(automatic, _right_level2),
        confident_share=round(len(confident) / len(judged), 4),
        confident_precision=_share(confident, _right_level1),
        wrong_automatic_cancellations=tuple(
            row.text
            for row, found in automatic
            if found.level1 is Level1.TERMINATE and parent_of(row.level2) is not Level1.TERMINATE
        ),
        groups=_groups(judged),
        mistakes=tuple(
            Mistake(utterance=row, classification=found)
            for row, found in judged
            if not _right_level2((row, found))
        ),
    )


def _right_level1(pair: _Judged) -> bool:
    return pair[1].level1 is parent_of(pair[0].level2)


def _right_level2(pair: _Judged) -> bool:
    return pair[1].level2 is pair[0].level2


def _is_automatic(pair: _Judged) -> bool:
    return not pair[1].requires_human_review


def _share(judged: Sequence[_Judged], test: Callable[[_Judged], bool]) -> float:
    return round(sum(map(test, judged)) / len(judged), 4) if judged else 1.0


def _reliability(judged: Sequence[_Judged]) -> tuple[ReliabilityBin, ...]:
    members: list[list[_Judged]] = [[] for _ in range(BINS)]
    for pair in judged:
        members[min(BINS - 1, int(pair[1].confidence * BINS))].append(pair)
    return tuple(
        ReliabilityBin(
            low=index / BINS,
            high=(index + 1) / BINS,
            count=len(pairs),
            mean_confidence=round(sum(found.confidence for _, found in pairs) / len(pairs), 4),
            accuracy=_share(pairs, _right_level1),
        )
        for index, pairs in enumerate(members)
        if pairs
    )


def _groups(judged: Sequence[_Judged]) -> dict[str, GroupScore]:
    by_group: dict[str, list[_Judged]] = {}
    for pair in judged:
        by_group.setdefault(pair[0].group.value, []).append(pair)
    return {
        group: GroupScore(
            count=len(pairs),
            accuracy_level1=_share(pairs, _right_level1),
            accuracy_level2=_share(pairs, _right_level2),
            automatic_share=_share(pairs, _is_automatic),
            automatic_errors=sum(_is_automatic(pair) and not _right_level1(pair) for pair in pairs),
        )
        for group, pairs in sorted(by_group.items())
    }
