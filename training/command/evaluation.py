"""`unpend triage evaluate FILE_OR_FOLDER`: evaluates a model on labelled utterances."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fleet.command.output import show_json, show_line, show_table

if TYPE_CHECKING:
    from pathlib import Path

    from tools.classifier.classifier import Classifier
    from training.evaluation import Evaluation


def show_evaluation(classifier: Classifier, labelled: Path, *, as_json: bool) -> None:
    """Print the figures of these utterances.

    Raises:
        CorpusError: they cannot be read; the message names file and line.
    """
    from training.dataset import load_labelled
    from training.evaluation import evaluate

    figures = evaluate(classifier, load_labelled(labelled))
    if as_json:
        show_json(_document(figures, classifier.model_hash))
    else:
        _show(figures)


def _document(figures: Evaluation, model: str) -> dict[str, Any]:
    return {
        "model": model,
        "utterances": figures.count,
        "accuracy_level1": figures.accuracy_level1,
        "accuracy_level2": figures.accuracy_level2,
        "expected_calibration_error": figures.expected_calibration_error,
        "automatic_share": figures.automatic_share,
        "automatic_share_actionable": figures.automatic_share_actionable,
        "automatic_precision_level1": figures.automatic_precision_level1,
        "automatic_precision_level2": figures.automatic_precision_level2,
        "wrong_automatic_cancellations": figures.wrong_automatic_cancellations,
        "reliability": [asdict(each) for each in figures.reliability],
        "groups": {group: asdict(score) for group, score in figures.groups.items()},
        "confusion": [
            {"truth": truth, "read": read, "utterances": count} for (truth, read), count in _confused(figures)
        ],
        "mistakes": [
            {
                "place": f"{each.utterance.source}:{each.utterance.line}",
                "text": each.utterance.text,
                "truth": each.utterance.level2,
                "read": each.classification.level2,
                "confidence": each.classification.confidence,
                "automatic": each.is_automatic,
            }
            for each in figures.mistakes
        ],
    }


def _show(figures: Evaluation) -> None:
    show_line(f"{figures.count} utterances")
    for name, value in (
        ("level 1 right", figures.accuracy_level1),
        ("level 2 right", figures.accuracy_level2),
        ("expected calibration error", figures.expected_calibration_error),
        ("done by itself, of all", figures.automatic_share),
        ("right among those, level 1", figures.automatic_precision_level1),
        ("right among those, level 2", figures.automatic_precision_level2),
    ):
        show_line(f"  {name:<30}{value:.3f}")
    show_line(f"  {'wrong automatic cancellations':<30}{len(figures.wrong_automatic_cancellations)}")
    show_table(
        ("confidence", "utterances", "mean confidence", "right"),
        [
            (
                f"{each.low:.1f}–{each.high:.1f}",
                each.count,
                f"{each.mean_confidence:.3f}",
                f"{each.accuracy:.3f}",
            )
            for each in figures.reliability
        ],
        title="reliability",
    )
    show_table(
        ("truth", "read", "utterances"),
        [(truth, read, count) for (truth, read), count in _confused(figures)],
        title="confusion: truth → read",
    )


def _confused(figures: Evaluation) -> list[tuple[tuple[str, str], int]]:
    """What was taken for what, the most frequent first."""
    ranked = sorted(figures.confusion.items(), key=lambda row: -row[1])
    return [((truth, read), count) for (truth, read), count in ranked if truth != read]
