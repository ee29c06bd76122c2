"""Words the codes that people read, in their language: `words/zh.yaml` and `words/en.yaml`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from schemas.core.language import Language, read_words
from schemas.people.why import PARAMETERS, Shown, Why

_FOLDER: Final = Path(__file__).resolve().parent / "words"
_SECTION_OF: Final[Mapping[Shown, str]] = {
    Shown.INTENT: "intents",
    Shown.METHOD: "methods",
    Shown.AMBIGUITY: "ambiguities",
    Shown.REASON: "reasons",
}


def words_in(language: Language) -> Mapping[str, Mapping[str, str]]:
    """All words of a language, by section and key."""
    return read_words(_FOLDER, language)


def worded(why: Why, language: Language) -> str:
    """The sentence of a code with its parameters."""
    shown = {name: _shown(why.params[name], kind, language) for name, kind in PARAMETERS[why.code].items()}
    return words_in(language)["why"][why.code].format_map(shown)


def question_of(reasons: Iterable[Why], language: Language) -> str:
    """The sentences of these codes as one; empty where there are none."""
    return words_in(language)["separators"]["sentence"].join(worded(why, language) for why in reasons)


def reason_title(reason: str, language: Language) -> str:
    """The title of a review's reason; the reason itself where it is another's: of an order system, of a workflow."""
    return _title("reasons", reason, language)


def intent_title(intent: str, language: Language) -> str:
    """The title of an intent, of either level."""
    return _title("intents", intent, language)


def decision_title(decision: str, language: Language) -> str:
    """The title of a decision; the decision itself where a workflow has made it up."""
    return _title("decisions", decision, language)


def flag_title(flag: str, language: Language) -> str:
    """The title of what a customer's words flag."""
    return _title("flags", flag, language)


def _title(section: str, key: str, language: Language) -> str:
    return words_in(language)[section].get(key, key)


def _shown(value: Any, kind: Shown, language: Language) -> str:
    if isinstance(value, list):
        return words_in(language)["separators"]["list"].join(_shown(each, kind, language) for each in value)
    if kind is Shown.SHARE and isinstance(value, int | float):
        return f"{100 * value:.4g}%"
    section = _SECTION_OF.get(kind)
    return str(value) if section is None else _title(section, str(value), language)
