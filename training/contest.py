"""Compares the weights in use (champion) with newly trained ones (challenger)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.classifier.classifier import Classifier
from tools.classifier.files import ClassifierFiles
from tools.classifier.model import MANIFEST_NAME
from training.choice import LEAST_HELD_OUT, Choice, Comparison, ModelFigures, choose
from training.cross_validation import cross_validate
from training.dataset import Utterance, load_corpus
from training.evaluation import judge
from training.labelled import LabelledWords, divide
from training.training import DEFAULT_SEED, Labelled, train


@dataclass(frozen=True, slots=True, kw_only=True)
class TooFewLabels:
    """There are too few held-out labels for a comparison."""

    held_out: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The result of a comparison; the challenger lies in `weights`, not yet in use."""

    champion: str
    challenger: str
    """The sha256 of each one's weights."""
    rules: str
    corpus_size: int
    trained_on: int
    """Texts of people's labels that the challenger learned from."""
    left_out: int
    held_out: Comparison
    corpus: Comparison
    won: int
    lost: int
    choice: Choice
    weights: Path


def hold_contest(
    files: ClassifierFiles,
    labels: Sequence[LabelledWords],
    folder: Path,
    *,
    folds: int = 5,
    repeats: int = 1,
    least_held_out: int = LEAST_HELD_OUT,
    seed: int = DEFAULT_SEED,
) -> Contest | TooFewLabels:
    """Train a challenger into `folder` and compare it with the weights in use; nothing of `files` is changed.

    On held-out labels the two are judged as they are: neither has seen those. On the corpus, which both have
    seen, their recipes are cross-validated: the corpus with the labels each was trained with.

    Raises:
        WeightsError: the champion cannot be read, or was trained with other rules: train first.
        CorpusError, RulesError: the corpus or the rules are bad.
        ModuleNotFoundError: scikit-learn is absent; install the extra `train`.
    """
    champion = Classifier.load(files.weights, files.rules)
    corpus = load_corpus(files.corpus)
    division = divide(labels, corpus)
    if len(division.held_out) < least_held_out:
        return TooFewLabels(held_out=len(division.held_out), needed=least_held_out)

    def validated(rows: Sequence[Utterance]) -> tuple[ModelFigures, dict[str, object]]:
        found = cross_validate(
            files.corpus, folds=folds, repeats=repeats, seed=seed, rules=files.rules, labelled=rows
        )
        return ModelFigures.of(found.evaluation), found.summary()

    before, _ = validated(divide(_known_to(files, labels), corpus).training)
    after, summary = validated(division.training)
    report = train(
        files.corpus,
        folder / files.weights.name,
        rules=files.rules,
        seed=seed,
        validation=summary,
        labelled=Labelled(rows=division.training, through=max(label.name for label in labels)),
    )
    challenger = Classifier.load(report.weights, files.rules)
    held_out, won, lost = _compared(champion, challenger, division.held_out)
    on_corpus = Comparison(champion=before, challenger=after)
    return Contest(
        champion=champion.model_hash,
        challenger=challenger.model_hash,
        rules=_manifest(report.weights)["rules_sha256"],
        corpus_size=len(corpus),
        trained_on=len(division.training),
        left_out=division.left_out,
        held_out=held_out,
        corpus=on_corpus,
        won=won,
        lost=lost,
        choice=choose(held_out=held_out, corpus=on_corpus, won=won, lost=lost),
        weights=report.weights,
    )


def _compared(
    champion: Classifier, challenger: Classifier, rows: Sequence[Utterance]
) -> tuple[Comparison, int, int]:
    """The figures of both, and how many texts only the challenger, or only the champion, reads rightly."""
    old = [(row, champion.classify(row.text)) for row in rows]
    new = [(row, challenger.classify(row.text)) for row in rows]
    rights = [
        (row.level2 is before.level2, row.level2 is after.level2)
        for (row, before), (_, after) in zip(old, new, strict=True)
    ]
    comparison = Comparison(champion=ModelFigures.of(judge(old)), challenger=ModelFigures.of(judge(new)))
    return comparison, rights.count((False, True)), rights.count((True, False))


def _known_to(files: ClassifierFiles, labels: Sequence[LabelledWords]) -> list[LabelledWords]:
    """The labels that were there when the champion was trained on labels, if it ever was."""
    through = str(_manifest(files.weights).get("labels", {}).get("through", ""))
    return [label for label in labels if label.name <= through]


def _manifest(weights: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(weights.with_name(MANIFEST_NAME).read_text(encoding="utf-8"))
    return document
