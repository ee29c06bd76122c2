"""Locations of the classifier's files."""

from dataclasses import dataclass
from pathlib import Path

_REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierFiles:
    """The files of one classifier: `weights` (its manifest beside it), `rules`, and the `corpus` folder."""

    weights: Path
    rules: Path
    corpus: Path

    @classmethod
    def within(cls, folder: Path) -> "ClassifierFiles":
        """The files of a folder that is laid out as `config/triage`; nothing is opened."""
        return cls(weights=folder / "weights.json", rules=folder / "rules.yaml", corpus=folder / "corpus")


def default_paths() -> ClassifierFiles:
    """The files shipped in `config/triage`, next to the packages; nothing is opened."""
    return ClassifierFiles.within(_REPOSITORY / "config" / "triage")
