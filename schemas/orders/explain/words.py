"""The words of what explains an order: `words/zh.yaml` and `words/en.yaml`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from schemas.core.language import Language, read_words
from schemas.orders.explain.sentence import Named
from schemas.people.wording import reason_title

_FOLDER: Final = Path(__file__).resolve().parent / "words"


def words_in(language: Language) -> Mapping[str, Any]:
    """All words of a language, by section and key."""
    return read_words(_FOLDER, language)


def name_of(kind: Named, code: str, language: Language) -> str:
    """What people call this; the code itself where it has no name."""
    if kind is Named.REASON:
        return reason_title(code, language)
    return str(words_in(language)[kind].get(code, code))
