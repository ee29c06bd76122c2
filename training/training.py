"""Trains the classifier: from the corpus to a weights file that is scored without scikit-learn."""

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from tools.classifier.features import features
from tools.classifier.files import default_paths
from tools.classifier.model import FORMAT, MANIFEST_NAME
from tools.classifier.normal_form import normalize
from tools.classifier.rules import RuleSet, load_rules
from tools.classifier.taxonomy import TAXONOMY
from training.dataset import Utterance, load_corpus
from training.near_duplicates import clusters_of

REGULARISATION = 40.0
"""Inverse strength C of the L2 penalty; chosen once by cross-validated log loss."""

LEAST_DOCUMENTS = 3
"""A feature seen in fewer utterances is left out."""

LAPSES = (0.005, 0.01, 0.02, 0.03, 0.05)
"""Candidates for the share of answers in which the words mislead; least held-out log loss decides."""

DEFAULT_SEED = 20260313
DIGITS = 4
_TOLERANCE = 1e-4
INNER_FOLDS = 4


_Judged = tuple[list[float], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """The parameters that turn the regression's scores into calibrated probabilities."""

    temperature: float
    lapse: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An utterance as features, with the number of its near-duplicate cluster."""

    row: Utterance
    features: tuple[str, ...]
    cluster: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """People's labels for training beside the corpus; `through` names the last label known."""

    rows: tuple[Utterance, ...] = ()
    through: str = ""


NO_LABELS: Final = Labelled()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """The result of a training: its place, the amounts of data, and cross-validation (None: not run)."""

    weights: Path
    sha256: str
    corpus_size: int
    size_bytes: int
    temperature: float
    cross_validation: Mapping[str, Any] | None


def samples_of(rows: Sequence[Utterance], rules: RuleSet) -> list[Sample]:
    """Return the features of every utterance, in order."""
    clusters = clusters_of([row.text for row in rows])
    samples = []
    for row, cluster in zip(rows, clusters, strict=True):
        repaired = rules.repair(normalize(row.text))
        samples.append(
            Sample(
                row=row,
                features=tuple(features(repaired, rules.read(repaired).flags)),
                cluster=cluster,
            )
        )
    return samples


class LinearFit:
    """One fit of scikit-learn's TF-IDF and logistic regression, before export."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        self._tfidf = TfidfVectorizer(analyzer=list, min_df=LEAST_DOCUMENTS, sublinear_tf=True)
        self._tfidf.fit([sample.features for sample in samples])
        self._regression = LogisticRegression(C=REGULARISATION, max_iter=2000, tol=1e-5, solver="newton-cg")
        order = {intent.level2: index for index, intent in enumerate(TAXONOMY)}
        self._regression.fit(self._matrix(samples), [order[sample.row.level2] for sample in samples])
        self._samples = samples

    def logits(self, samples: Sequence[Sample]) -> list[list[float]]:
        """Return scikit-learn's decision values, one row a sample, in the order of the taxonomy."""
        rows: list[list[float]] = self._regression.decision_function(self._matrix(samples)).tolist()
        return rows

    def document(self, *, calibration: Calibration, rules: RuleSet) -> dict[str, Any]:
        """Return the weights document: sorted, rounded, readable."""
        vocabulary = self._tfidf.vocabulary_
        containing: dict[str, int] = {}
        for sample in self._samples:
            for feature in set(sample.features):
                if feature in vocabulary:
                    containing[feature] = containing.get(feature, 0) + 1
        columns = self._regression.coef_.T.tolist()
        return {
            "format": FORMAT,
            "labels": [intent.level2.value for intent in TAXONOMY],
            "documents": len(self._samples),
            "temperature": round(calibration.temperature, DIGITS),
            "lapse": calibration.lapse,
            "rules_sha256": rules.sha256,
            "intercepts": _rounded(self._regression.intercept_.tolist()),
            "features": {
                feature: [containing[feature], *_rounded(columns[vocabulary[feature]])]
                for feature in sorted(vocabulary)
            },
        }

    def _matrix(self, samples: Sequence[Sample]) -> Any:
        return self._tfidf.transform([sample.features for sample in samples])


def fit_document(samples: Sequence[Sample], rules: RuleSet, *, seed: int) -> dict[str, Any]:
    """Fit on all `samples` and return the weights document; the calibration comes from held-out folds."""
    return LinearFit(samples).document(calibration=_calibration(samples, seed), rules=rules)


def train(
    corpus_dir: Path,
    output: Path,
    *,
    rules: Path | None = None,
    seed: int = DEFAULT_SEED,
    validation: Mapping[str, Any] | None = None,
    labelled: Labelled = NO_LABELS,
) -> TrainingReport:
    """Train on the corpus and what people labelled, write `output` (weights) and the manifest beside it, and report.

    The same corpus, rules, seed and scikit-learn give the same bytes. `rules` defaults to the shipped file;
    `validation` is the summary of a cross-validation on the same corpus, to be kept in the manifest.

    Raises:
        CorpusError, RulesError: the corpus or the rules are bad.
        ModuleNotFoundError: scikit-learn is absent; install the extra `train`.
    """
    import sklearn

    rules_path = rules or default_paths().rules
    rule_set = load_rules(rules_path)
    rows = load_corpus(corpus_dir)
    document = fit_document(samples_of((*rows, *labelled.rows), rule_set), rule_set, seed=seed)
    raw = encode(document)
    digest = hashlib.sha256(raw).hexdigest()
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(raw)
    manifest = {
        "sha256": digest,
        "rules_sha256": rule_set.sha256,
        "corpus_size": len(rows),
        "labels": {"count": len(labelled.rows), "through": labelled.through},
        "trained_with": f"scikit-learn {sklearn.__version__}, seed {seed}",
        "cross_validation": validation,
    }
    output.with_name(MANIFEST_NAME).write_text(
        json.dumps(manifest, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    return TrainingReport(
        weights=output,
        sha256=digest,
        corpus_size=len(rows),
        size_bytes=len(raw),
        temperature=document["temperature"],
        cross_validation=validation,
    )


def encode(document: dict[str, Any]) -> bytes:
    """Return the weights document as bytes: one feature a line, so that two trainings can be compared."""
    head = "".join(
        f"{_json(name)}: {_json(part)},\n" for name, part in document.items() if name != "features"
    )
    rows = ",\n".join(f"{_json(feature)}: {_json(row)}" for feature, row in document["features"].items())
    return f'{{\n{head}"features": {{\n{rows}\n}}\n}}\n'.encode()


def _json(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"))


def _rounded(numbers: Sequence[float]) -> list[float]:
    return [round(number, DIGITS) + 0.0 for number in numbers]


def _calibration(samples: Sequence[Sample], seed: int) -> Calibration:
    from sklearn.model_selection import StratifiedGroupKFold

    labels = [sample.row.level2.value for sample in samples]
    groups = [sample.cluster for sample in samples]
    order = {intent.level2: index for index, intent in enumerate(TAXONOMY)}
    judged: list[_Judged] = []
    folds = StratifiedGroupKFold(n_splits=INNER_FOLDS, shuffle=True, random_state=seed)
    for inside, outside in folds.split(labels, labels, groups):
        held_out = [samples[index] for index in outside]
        fitted = LinearFit([samples[index] for index in inside])
        truths = [order[sample.row.level2] for sample in held_out]
        judged += zip(fitted.logits(held_out), truths, strict=True)
    candidates = [
        Calibration(temperature=math.exp(_least(partial(_log_loss, judged, lapse), -1.5, 1.5)), lapse=lapse)
        for lapse in LAPSES
    ]
    return min(candidates, key=lambda each: _log_loss(judged, each.lapse, math.log(each.temperature)))


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    golden = (math.sqrt(5) - 1) / 2
    while high - low > _TOLERANCE:
        left, right = high - golden * (high - low), low + golden * (high - low)
        if function(left) < function(right):
            high = right
        else:
            low = left
    return (low + high) / 2


def _log_loss(judged: Sequence[_Judged], lapse: float, log_temperature: float) -> float:
    temperature = math.exp(log_temperature)
    total = 0.0
    for logits, truth in judged:
        highest = max(logits)
        powers = [math.exp((logit - highest) / temperature) for logit in logits]
        total -= math.log((1.0 - lapse) * powers[truth] / math.fsum(powers) + lapse / len(logits))
    return total / len(judged)
