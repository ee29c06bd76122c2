"""The trained model: weights from a JSON file, scored in pure Python."""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.classifier.taxonomy import Level2

FORMAT = 1
MANIFEST_NAME = "manifest.json"


class WeightsError(ValueError):
    """The weights file is unreadable or does not match its manifest; the message names the file and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """What one feature adds to the score of one intent (logits, before the temperature)."""

    feature: str
    intent: Level2
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """Multinomial logistic regression over TF-IDF features, with a temperature and a lapse.

    `lapse` is the share of answers in which the words mislead altogether: it is spread over all intents, so
    that no probability is ever more certain than the corpus can show.

    `weights` maps a feature to its inverse document frequency and its weight for each of `labels`. `sha256`
    is the digest of the file it came from, `rules_sha256` that of the rules it was trained beside.
    """

    labels: tuple[Level2, ...]
    intercepts: tuple[float, ...]
    temperature: float
    lapse: float
    weights: Mapping[str, tuple[float, tuple[float, ...]]]
    rules_sha256: str
    sha256: str

    def probabilities(self, features: Sequence[str]) -> dict[Level2, float]:
        """Return the calibrated probability of every intent; they sum to 1."""
        logits = [score / self.temperature for score in self.scores(features)]
        highest = max(logits)
        powers = [math.exp(logit - highest) for logit in logits]
        total = math.fsum(powers)
        floor = self.lapse / len(self.labels)
        return {
            label: (1.0 - self.lapse) * power / total + floor
            for label, power in zip(self.labels, powers, strict=True)
        }

    def scores(self, features: Sequence[str]) -> list[float]:
        """Return the logit of every intent, before the temperature, in the order of `labels`."""
        totals = list(self.intercepts)
        for _, amount, weights in self._active(features):
            for index, weight in enumerate(weights):
                totals[index] += amount * weight
        return totals

    def contributions(self, features: Sequence[str]) -> list[Contribution]:
        """Return what every known feature adds to every intent, the largest first."""
        found = [
            Contribution(feature=feature, intent=label, weight=round(amount * weight, 4))
            for feature, amount, weights in self._active(features)
            for label, weight in zip(self.labels, weights, strict=True)
        ]
        return sorted(found, key=lambda each: (-abs(each.weight), each.feature, each.intent))

    def knows_any(self, features: Sequence[str]) -> bool:
        """Whether any of these features occurred in the corpus."""
        return any(feature in self.weights for feature in features)

    def _active(self, features: Sequence[str]) -> list[tuple[str, float, tuple[float, ...]]]:
        known = [
            (feature, (1.0 + math.log(count)) * entry[0], entry[1])
            for feature, count in Counter(features).items()
            if (entry := self.weights.get(feature)) is not None
        ]
        norm = math.sqrt(math.fsum(amount * amount for _, amount, _ in known)) or 1.0
        return [(feature, amount / norm, weights) for feature, amount, weights in known]


def inverse_document_frequency(documents: int, containing: int) -> float:
    """Smoothed inverse document frequency, as scikit-learn's TF-IDF has it."""
    return math.log((1 + documents) / (1 + containing)) + 1.0


def load_model(path: Path) -> Model:
    """Read the weights and check them against the manifest beside them.

    Raises:
        WeightsError: a file is missing or unreadable, or the weights are not those the manifest describes.
    """
    raw = _read(path)
    manifest = _object(_read(path.with_name(MANIFEST_NAME)), path.with_name(MANIFEST_NAME))
    digest = hashlib.sha256(raw).hexdigest()
    if manifest.get("sha256") != digest:
        raise WeightsError(
            f"{path}: its sha256 is {digest}, the manifest beside it says {manifest.get('sha256')}; "
            "the file was changed or belongs to another training. Restore both, or train again."
        )
    document = _object(raw, path)
    if document.get("format") != FORMAT:
        raise WeightsError(
            f"{path}: format {document.get('format')} is not the {FORMAT} this version reads; train again"
        )
    try:
        return build_model(document, digest)
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"{path}: is not a weights file ({error!r}); train again") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path}: cannot be read ({error.strerror}); train the classifier or restore it"
        ) from error


def _object(raw: bytes, path: Path) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise WeightsError(f"{path}: is not valid JSON ({error}); restore it or train again") from error
    if not isinstance(document, dict):
        raise WeightsError(f"{path}: must hold a JSON object; restore it or train again")
    return document


def build_model(document: Mapping[str, Any], sha256: str) -> Model:
    """Return the model that a weights document describes; `sha256` names it in every decision.

    Raises:
        KeyError, TypeError, ValueError: the document has not the form that training writes.
    """
    documents = int(document["documents"])
    rarity = [inverse_document_frequency(documents, containing) for containing in range(documents + 1)]
    return Model(
        labels=tuple(Level2(label) for label in document["labels"]),
        intercepts=tuple(document["intercepts"]),
        temperature=float(document["temperature"]),
        lapse=float(document["lapse"]),
        weights={name: (rarity[row[0]], tuple(row[1:])) for name, row in document["features"].items()},
        rules_sha256=str(document["rules_sha256"]),
        sha256=sha256,
    )
