"""The closed list of product events: the type of each, its stage, and its titles, which are codes with parameters."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from schemas.core.language import Language, read_words

_FOLDER: Final = Path(__file__).resolve().parent / "words"
_LEFT_OUT: Final = "…"


class Stage(StrEnum):
    """How far something is, as people understand it."""

    INTAKE = "intake"
    CONTACT = "contact"
    TRIAGE = "triage"
    REVIEW = "review"
    ACTION = "action"
    FOLLOWUP = "followup"
    CLOSE = "close"
    REPORT = "report"
    SIGNAL = "signal"


class ProductEventType(StrEnum):
    """What can happen that people are told of."""

    TASK_RECEIVED = "task_received"
    TASK_REJECTED = "task_rejected"
    CONTACT_INITIATED = "contact_initiated"
    CUSTOMER_RESPONDED = "customer_responded"
    CUSTOMER_SILENT = "customer_silent"
    INTENT_CLASSIFIED = "intent_classified"
    INTENT_UNCLEAR = "intent_unclear"
    REVIEW_OPENED = "review_opened"
    REVIEW_DECIDED = "review_decided"
    ACTION_EXECUTED = "action_executed"
    FOLLOWUP_REACHED = "followup_reached"
    FOLLOWUP_RESCHEDULED = "followup_rescheduled"
    TASK_CLOSED = "task_closed"
    REPORT_SECTION_READY = "report_section_ready"
    REPORT_READY = "report_ready"
    PART_ARRIVED = "part_arrived"
    PHONE_CHANGED = "phone_changed"
    PRIORITY_CHANGED = "priority_changed"
    ORDER_CANCELLED = "order_cancelled"
    CUSTOMER_CALLED = "customer_called"
    CONTINUE = "continue"

    @property
    def stage(self) -> Stage:
        """The stage that it belongs to."""
        return _STAGES[self]


_STAGES: Final[Mapping[ProductEventType, Stage]] = MappingProxyType(
    {
        ProductEventType.TASK_RECEIVED: Stage.INTAKE,
        ProductEventType.TASK_REJECTED: Stage.INTAKE,
        ProductEventType.CONTACT_INITIATED: Stage.CONTACT,
        ProductEventType.CUSTOMER_RESPONDED: Stage.CONTACT,
        ProductEventType.CUSTOMER_SILENT: Stage.CONTACT,
        ProductEventType.INTENT_CLASSIFIED: Stage.TRIAGE,
        ProductEventType.INTENT_UNCLEAR: Stage.TRIAGE,
        ProductEventType.REVIEW_OPENED: Stage.REVIEW,
        ProductEventType.REVIEW_DECIDED: Stage.REVIEW,
        ProductEventType.ACTION_EXECUTED: Stage.ACTION,
        ProductEventType.FOLLOWUP_REACHED: Stage.FOLLOWUP,
        ProductEventType.FOLLOWUP_RESCHEDULED: Stage.FOLLOWUP,
        ProductEventType.TASK_CLOSED: Stage.CLOSE,
        ProductEventType.REPORT_SECTION_READY: Stage.REPORT,
        ProductEventType.REPORT_READY: Stage.REPORT,
        ProductEventType.PART_ARRIVED: Stage.SIGNAL,
        ProductEventType.PHONE_CHANGED: Stage.SIGNAL,
        ProductEventType.PRIORITY_CHANGED: Stage.SIGNAL,
        ProductEventType.ORDER_CANCELLED: Stage.SIGNAL,
        ProductEventType.CUSTOMER_CALLED: Stage.SIGNAL,
        ProductEventType.CONTINUE: Stage.SIGNAL,
    }
)


class _Parameters(dict[str, object]):
    """What a title leaves out was erased since."""

    def __missing__(self, _: str) -> str:
        return _LEFT_OUT


def titles(language: Language) -> Mapping[str, str]:
    """Every title in a language, by its code: a type, or a type, a dot, and which of its titles."""
    return read_words(_FOLDER, language)


def title_of(code: str, parameters: Mapping[str, Any] | None, language: Language) -> str:
    """Return a title in words; a code that there is no title for stands for itself."""
    return titles(language).get(code, "{code}").format_map(_Parameters(parameters or {}, code=code))
