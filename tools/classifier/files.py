"""Where the classifier's files are."""

from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierFiles:
    """The files of one classifier: `weights` (its manifest beside it), `rules`, and the `corpus` folder."""

    weights: Path
    rules: Path
    corpus: Path


def default_paths() -> ClassifierFiles:
    """The files shipped in `config/triage`, next to the packages; nothing is opened."""
    folder = _REPOSITORY / "config" / "triage"
    return ClassifierFiles(
        weights=folder / "weights.json", rules=folder / "rules.yaml", corpus=folder / "corpus"
    )
