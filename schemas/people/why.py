"""Why a person is asked: a closed list of codes, each with its parameters; their words are in `schemas.people.wording`.

Steps, errors and reviews keep codes and compose sentences when somebody reads them. Of a customer's words a parameter
holds the place where they stand (`tools.quotation`), never the words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from types import MappingProxyType
from typing import Any, Final, Self

LONGEST_TEXT: Final = 500
"""Characters that a parameter keeps of a text."""
MOST_LISTED: Final = 20
"""Items that a parameter keeps of a list."""


class WhyCode(StrEnum):
    """What speaks for asking a person."""

    # The customer's words, as the classifier reads them.
    UNCLEAR_INTENT = auto()
    LOW_CONFIDENCE = auto()
    FLAG_DO_NOT_CONTACT = auto()
    FLAG_COMPLAINT = auto()
    FLAG_WRONG_NUMBER = auto()
    FLAG_INJECTION = auto()
    FLAG_CONTRADICTION = auto()
    FLAG_EMERGENCY = auto()
    NO_RULE_CONFIRMS = auto()
    RULES_READ_OTHER = auto()
    RULES_READ_SEVERAL = auto()
    RULES_DISAGREE = auto()
    WORDS_FOR_OTHERS = auto()
    CONTRAST = auto()
    CONDITION = auto()
    NEGATION = auto()
    CANCEL_LOW_CONFIDENCE = auto()
    CANCEL_NOT_EXPLICIT = auto()
    CANCEL_NOT_UNDERSTOOD = auto()
    CANCEL_IS_A_QUESTION = auto()
    TEXT_CUT = auto()
    UNREADABLE = auto()
    MODELS_DISAGREE = auto()
    DATE_UNCLEAR = auto()
    SHADOW_MODE = auto()
    # A classification that somebody gives, held against ours.
    OTHER_PARENT = auto()
    OTHER_INTENT = auto()
    OTHER_CONFIDENCE = auto()
    # What people and callers ask for.
    UNDO_REQUESTED = auto()
    SPOKE_BEFORE_CANCELLING = auto()
    APPROVAL_REQUESTED = auto()
    APPROVAL_ALWAYS = auto()
    APPROVAL_LIMIT = auto()
    APPROVAL_SAMPLE = auto()
    # Steps that failed.
    STEP_FAILED = auto()
    NOT_CALLABLE = auto()
    NO_ATTEMPTS_LEFT = auto()
    DO_NOT_CALL = auto()
    NO_CHANNEL_LEFT = auto()
    CONTACT_ATTEMPTS_EXHAUSTED = auto()
    CONTACT_NO_PERMITTED_TIME = auto()
    GAP = auto()
    NUMBER_CAP = auto()
    DAILY_CAP = auto()
    HOLIDAY = auto()
    OUTSIDE_WINDOW = auto()
    BUDGET = auto()
    CONTACT_STOPPED = auto()
    CHANNEL_REJECTED = auto()
    CHANNEL_UNAVAILABLE = auto()
    CONTACT_UNKNOWN = auto()
    CONTACT_OUTCOME_UNKNOWN = auto()
    SCRIPT_UNKNOWN = auto()
    SCRIPT_INCOMPLETE = auto()
    NO_AUTOMATIC_ACTION = auto()
    NOT_PERMITTED = auto()
    NO_CAPACITY = auto()
    DAYS_OFFERED = auto()
    DAYS_FREE = auto()
    NO_DAYS_FREE = auto()
    ORDER_SYSTEM_REFUSED = auto()
    PERFORMED_BEFORE = auto()
    ORDER_SYSTEM_UNAVAILABLE = auto()
    ORDER_SYSTEM_UNCLEAR = auto()
    ROUNDS_EXHAUSTED = auto()
    RULE_ROUNDS_EXHAUSTED = auto()
    NOTHING_TO_CLOSE = auto()


class Shown(StrEnum):
    """How a parameter is shown."""

    TEXT = auto()
    """As it is, or each of a list."""
    SHARE = auto()
    """As a percentage."""
    INTENT = auto()
    """By the titles of intents."""
    METHOD = auto()
    """By what a customer did who turned to us by this channel."""
    AMBIGUITY = auto()
    """By the title of what makes a date unclear."""
    REASON = auto()
    """By the title of a reason, where it has one."""


_WORDS: Final = {"words": Shown.TEXT}
_CONFIDENCE: Final = {"confidence": Shown.SHARE, "least": Shown.SHARE}
_ACTION: Final = {"action": Shown.TEXT}
_SAID: Final = {"said": Shown.TEXT}
_ROUNDS: Final = {"rounds": Shown.TEXT}

PARAMETERS: Final[Mapping[WhyCode, Mapping[str, Shown]]] = MappingProxyType(
    {code: MappingProxyType({}) for code in WhyCode}
    | {
        WhyCode.LOW_CONFIDENCE: _CONFIDENCE,
        WhyCode.RULES_READ_OTHER: {"model": Shown.INTENT, "rules": Shown.INTENT},
        WhyCode.RULES_READ_SEVERAL: {"model": Shown.INTENT},
        WhyCode.WORDS_FOR_OTHERS: {"intents": Shown.INTENT},
        WhyCode.CONTRAST: _WORDS,
        WhyCode.CONDITION: _WORDS,
        WhyCode.NEGATION: _WORDS,
        WhyCode.CANCEL_LOW_CONFIDENCE: _CONFIDENCE,
        WhyCode.CANCEL_NOT_UNDERSTOOD: {"clause": Shown.TEXT, "rest": Shown.TEXT},
        WhyCode.CANCEL_IS_A_QUESTION: _WORDS,
        WhyCode.TEXT_CUT: {"most": Shown.TEXT},
        WhyCode.MODELS_DISAGREE: {"model": Shown.INTENT, "language_model": Shown.INTENT},
        WhyCode.DATE_UNCLEAR: {"ambiguity": Shown.AMBIGUITY, **_WORDS},
        WhyCode.SHADOW_MODE: {"intent": Shown.INTENT, "confidence": Shown.SHARE},
        WhyCode.OTHER_PARENT: {"intent": Shown.INTENT, "parent": Shown.INTENT, "given": Shown.INTENT},
        WhyCode.OTHER_INTENT: {"model": Shown.INTENT, "given": Shown.INTENT},
        WhyCode.OTHER_CONFIDENCE: {"given": Shown.SHARE, "model": Shown.SHARE},
        WhyCode.UNDO_REQUESTED: {"by": Shown.TEXT, **_SAID},
        WhyCode.SPOKE_BEFORE_CANCELLING: {"method": Shown.METHOD},
        WhyCode.APPROVAL_REQUESTED: {"by": Shown.TEXT, **_ACTION},
        WhyCode.APPROVAL_ALWAYS: _ACTION,
        WhyCode.APPROVAL_LIMIT: {**_ACTION, "done": Shown.TEXT, "limit": Shown.TEXT},
        WhyCode.APPROVAL_SAMPLE: _ACTION,
        WhyCode.STEP_FAILED: {"failure": Shown.REASON, **_SAID},
        WhyCode.NO_ATTEMPTS_LEFT: {"made": Shown.TEXT, "most": Shown.TEXT},
        WhyCode.CONTACT_STOPPED: _SAID,
        WhyCode.CHANNEL_REJECTED: _SAID,
        WhyCode.CHANNEL_UNAVAILABLE: _SAID,
        WhyCode.CONTACT_OUTCOME_UNKNOWN: _SAID,
        WhyCode.SCRIPT_UNKNOWN: {"script": Shown.TEXT, "known": Shown.TEXT},
        WhyCode.SCRIPT_INCOMPLETE: _SAID,
        WhyCode.NO_AUTOMATIC_ACTION: {"intent": Shown.INTENT},
        WhyCode.NOT_PERMITTED: {"agent": Shown.TEXT, "actions": Shown.TEXT},
        WhyCode.NO_CAPACITY: {"region": Shown.TEXT, "first": Shown.TEXT, "last": Shown.TEXT},
        WhyCode.DAYS_OFFERED: {"days": Shown.TEXT},
        WhyCode.DAYS_FREE: {"days": Shown.TEXT},
        WhyCode.ORDER_SYSTEM_REFUSED: {**_ACTION, **_SAID},
        WhyCode.PERFORMED_BEFORE: {"actions": Shown.TEXT},
        WhyCode.ORDER_SYSTEM_UNAVAILABLE: {**_ACTION, **_SAID},
        WhyCode.ORDER_SYSTEM_UNCLEAR: {**_ACTION, **_SAID},
        WhyCode.ROUNDS_EXHAUSTED: _ROUNDS,
        WhyCode.RULE_ROUNDS_EXHAUSTED: {**_ROUNDS, "most": Shown.TEXT},
        WhyCode.NOTHING_TO_CLOSE: {"intent": Shown.INTENT},
    }
)
"""The parameters of each code, and how each is shown."""


@dataclass(frozen=True, slots=True)
class Why:
    """One thing that speaks for asking a person; what is long in its parameters is cut.

    Raises:
        ValueError: the parameters are not those of the code.
    """

    code: WhyCode
    params: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.params.keys() != PARAMETERS[self.code].keys():
            raise ValueError(f"'{self.code}' takes {', '.join(PARAMETERS[self.code]) or 'no parameters'}")
        bounded = {name: _bounded(self.params[name]) for name in PARAMETERS[self.code]}
        object.__setattr__(self, "params", bounded)

    @classmethod
    def of(cls, document: object) -> Self | None:
        """What a document says; `None` where it is of a version that knows other codes."""
        if not isinstance(document, Mapping) or not isinstance(document.get("params"), Mapping):
            return None
        try:
            return cls(WhyCode(str(document.get("code"))), document["params"])
        except ValueError:
            return None

    def as_document(self) -> dict[str, Any]:
        """It as JSON."""
        return {"code": self.code.value, "params": dict(self.params)}


def why_in(documents: object) -> tuple[Why, ...]:
    """What a list of documents says."""
    if not isinstance(documents, Sequence) or isinstance(documents, str):
        return ()
    return tuple(why for each in documents if (why := Why.of(each)) is not None)


def documents_of(reasons: Iterable[Why]) -> list[dict[str, Any]]:
    """These as JSON."""
    return [why.as_document() for why in reasons]


def why_asked(context: Mapping[str, Any]) -> tuple[Why, ...]:
    """Why the question with this context is asked: the failure that led to it, else what its step was given.

    A step that fails had been given why an earlier question was asked; that is no reason for this one.
    """
    error = context.get("error")
    if not isinstance(error, Mapping):
        return why_in(context.get("why"))
    said = why_in(error.get("why"))
    failure = {"failure": str(error.get("code") or ""), "said": str(error.get("message") or "")}
    return said or (Why(WhyCode.STEP_FAILED, failure),)


def _bounded(value: object) -> object:
    """Text, a number or a list of texts, as a parameter keeps it."""
    match value:
        case bool() | int() | float():
            return value
        case list() | tuple() | set() | frozenset():
            return [str(each)[:LONGEST_TEXT] for each in [*value][:MOST_LISTED]]
        case _:
            return str(value)[:LONGEST_TEXT]
