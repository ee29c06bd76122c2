"""Finds near-duplicates in the corpus, which must stay in one fold of the cross-validation."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from math import sqrt

from tools.classifier.normal_form import normalize

SIMILAR = 0.75
"""Least cosine of the character 1- and 2-gram sets at which two texts are near-duplicates."""


def clusters_of(texts: Sequence[str]) -> list[int]:
    """Return a cluster number for every text: near-duplicates, and theirs in turn, share one."""
    parents = list(range(len(texts)))

    def root(member: int) -> int:
        while parents[member] != member:
            parents[member] = parents[parents[member]]
            member = parents[member]
        return member

    for left, right, similarity in _similar_pairs([_grams(text) for text in texts]):
        if similarity >= SIMILAR:
            parents[root(right)] = root(left)
    return [root(member) for member in range(len(texts))]


def nearest_across(texts: Sequence[str], folds: Sequence[int]) -> list[float]:
    """Return for every text its greatest similarity to a text of another fold, 0 to 1."""
    nearest = [0.0] * len(texts)
    for left, right, similarity in _similar_pairs([_grams(text) for text in texts]):
        if folds[left] != folds[right]:
            nearest[left] = max(nearest[left], similarity)
            nearest[right] = max(nearest[right], similarity)
    return nearest


def _grams(text: str) -> frozenset[str]:
    plain = normalize(text)
    return frozenset(plain) | {plain[start : start + 2] for start in range(len(plain) - 1)}


def _similar_pairs(grams: Sequence[frozenset[str]]) -> list[tuple[int, int, float]]:
    holders: dict[str, list[int]] = defaultdict(list)
    pairs = []
    for index, own in enumerate(grams):
        shared = Counter(other for gram in own for other in holders[gram])
        pairs += [
            (other, index, count / sqrt(len(own) * len(grams[other]))) for other, count in shared.items()
        ]
        for gram in own:
            holders[gram].append(index)
    return pairs
