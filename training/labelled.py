"""Prepares people's labels: each text once, and a fixed part held out for comparing models."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tools.classifier.normal_form import normalize
from tools.classifier.taxonomy import Level2
from training.dataset import Utterance
from training.near_duplicates import clusters_of

HELD_OUT_SHARE: Final = 0.3
"""The share of texts that no model is ever trained on."""

SOURCE: Final = "label"
"""Where such an utterance is written: in no file of the corpus."""

_POINTS: Final = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledWords:
    """A customer's words with the intent that a person gave them; `name` sorts by time."""

    name: str
    text: str = field(repr=False)
    level2: Level2


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Labelled texts for training, those for comparison, and the number that is used for neither."""

    training: tuple[Utterance, ...]
    held_out: tuple[Utterance, ...]
    left_out: int


def divide(labels: Sequence[LabelledWords], corpus: Sequence[Utterance]) -> Division:
    """Divide labels into texts to train on and texts to compare on.

    A text is held out by its own words alone, so that it stays held out in every later training and no champion
    has ever seen it. Left out are texts of the corpus (whose label there holds), texts on which people are
    divided, and near-duplicates of what is held out.
    """
    known = {normalize(row.text) for row in corpus}
    by_form: defaultdict[str, list[LabelledWords]] = defaultdict(list)
    for label in sorted(labels, key=lambda each: each.name):
        form = normalize(label.text)
        if form and form not in known:
            by_form[form].append(label)
    rows = [
        (form, Utterance(text=same[0].text, level2=level2, source=SOURCE))
        for form, same in by_form.items()
        if (level2 := _agreed(same)) is not None
    ]
    clusters = clusters_of([form for form, _ in rows])
    out = [_is_held_out(form) for form, _ in rows]
    shared = {cluster for cluster, is_out in zip(clusters, out, strict=True) if is_out}
    training = tuple(row for (_, row), cluster in zip(rows, clusters, strict=True) if cluster not in shared)
    held_out = tuple(row for (_, row), is_out in zip(rows, out, strict=True) if is_out)
    used = {normalize(row.text) for row in (*training, *held_out)}
    return Division(
        training=training,
        held_out=held_out,
        left_out=len(labels) - sum(len(same) for form, same in by_form.items() if form in used),
    )


def _agreed(same: Sequence[LabelledWords]) -> Level2 | None:
    """The intent that more people gave than any other."""
    ranked = Counter(label.level2 for label in same).most_common(2)
    return None if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def _is_held_out(form: str) -> bool:
    digest = hashlib.sha256(form.encode()).digest()
    return int.from_bytes(digest[:8], "big") < HELD_OUT_SHARE * _POINTS
