"""Cross-validation: near-duplicates stay in one fold, and the temperature is fitted within each fold."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tools.classifier.classifier import Classification, Classifier
from tools.classifier.files import default_paths
from tools.classifier.model import build_model
from tools.classifier.rules import load_rules
from training.dataset import Utterance, load_corpus
from training.evaluation import Evaluation, judge
from training.near_duplicates import SIMILAR, nearest_across
from training.training import DEFAULT_SEED, encode, fit_document, samples_of

CAVEAT = (
    "The model's figures are those of text it has not seen. The rules, the flags and the homophones were "
    "written with sight of the corpus and are the same in every fold, so the shares and precisions of what "
    "is automatic, and the groups asr and injection, are optimistic."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation:
    """How different the folds are: each utterance's similarity to the nearest of another fold, 0 to 1."""

    clusters: int
    near_duplicates: int
    threshold: float
    greatest: float
    mean: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidation:
    """The figures of all folds and repeats together, with the method and its limits."""

    folds: int
    repeats: int
    seed: int
    evaluation: Evaluation
    separation: Separation
    caveat: str

    def summary(self) -> dict[str, Any]:
        """Return the figures for a manifest: JSON, without the single mistakes."""
        found = self.evaluation
        return {
            "folds": self.folds,
            "repeats": self.repeats,
            "seed": self.seed,
            "judged": found.count,
            "accuracy_level1": found.accuracy_level1,
            "accuracy_level2": found.accuracy_level2,
            "expected_calibration_error": found.expected_calibration_error,
            "automatic_share": found.automatic_share,
            "automatic_share_actionable": found.automatic_share_actionable,
            "automatic_precision_level1": found.automatic_precision_level1,
            "automatic_precision_level2": found.automatic_precision_level2,
            "confident_share": found.confident_share,
            "confident_precision": found.confident_precision,
            "wrong_automatic_cancellations": len(found.wrong_automatic_cancellations),
            "reliability": [asdict(each) for each in found.reliability],
            "groups": {name: asdict(score) for name, score in found.groups.items()},
            "separation": asdict(self.separation),
            "caveat": self.caveat,
        }


def cross_validate(
    corpus_dir: Path,
    *,
    folds: int = 5,
    repeats: int = 2,
    seed: int = DEFAULT_SEED,
    rules: Path | None = None,
    labelled: Sequence[Utterance] = (),
) -> CrossValidation:
    """Classify every utterance of the corpus by a model trained without it and its near-duplicates.

    What people `labelled` is trained on beside the corpus, and not judged.

    The exported, rounded weights are judged, by the code that runs in production. The same corpus, rules and
    seed give the same figures.

    Raises:
        CorpusError, RulesError: the corpus or the rules are bad.
        ModuleNotFoundError: scikit-learn is absent; install the extra `train`.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    rule_set = load_rules(rules or default_paths().rules)
    rows = load_corpus(corpus_dir)
    samples = samples_of((*rows, *labelled), rule_set)
    samples, beside = samples[: len(rows)], samples[len(rows) :]
    labels = [row.level2.value for row in rows]
    clusters = [sample.cluster for sample in samples]
    judged: list[tuple[Utterance, Classification]] = []
    first_folds = [0] * len(rows)
    for repeat in range(repeats):
        splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed + repeat)
        for fold, (inside, outside) in enumerate(splitter.split(labels, labels, clusters)):
            unseen = {clusters[index] for index in outside}
            known = [
                *(samples[index] for index in inside),
                *(sample for sample in beside if sample.cluster not in unseen),
            ]
            document = fit_document(known, rule_set, seed=seed)
            digest = hashlib.sha256(encode(document)).hexdigest()
            classifier = Classifier(model=build_model(document, digest), rules=rule_set)
            judged += [(rows[index], classifier.classify(rows[index].text)) for index in outside]
            for index in outside if repeat == 0 else ():
                first_folds[index] = fold
    nearest = nearest_across([row.text for row in rows], first_folds)
    return CrossValidation(
        folds=folds,
        repeats=repeats,
        seed=seed,
        evaluation=judge(judged),
        separation=Separation(
            clusters=len(set(clusters)),
            near_duplicates=len(clusters) - len(set(clusters)),
            threshold=SIMILAR,
            greatest=round(max(nearest), 4),
            mean=round(sum(nearest) / len(nearest), 4),
        ),
        caveat=CAVEAT,
    )
