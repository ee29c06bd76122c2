"""The conditions under which a transition is allowed, as pure predicates over facts (SPEC.md §1)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

LOWEST_CONFIDENCE: Final = 0.60
"""At or below this a classification is not accepted without a person (seed 000 section 三)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The input of a guard: the order's current data, and what the event brings."""

    contact_count: int = 0
    max_contacts: int = 4
    confidence: float | None = None
    decided_by_person: bool = False
    permitted: bool = True
    next_contact_time: datetime | None = None
    now: datetime | None = None
    review_open: bool = False
    reason: str | None = None


class Guard(StrEnum):
    """The guards of the transition table; the value is the rule as people read it."""

    NONE = ""
    ATTEMPTS_LEFT = "contact_count < max_contacts"
    NO_ATTEMPTS_LEFT = "contact_count >= max_contacts"
    CONFIDENT = "confidence > 0.60, or decided by a person"
    PERMITTED = "the agent may perform this action"
    FOLLOWUP_TIME_SET = "a follow-up time is set"
    FOLLOWUP_DUE = "next_contact_time <= now"
    REVIEW_WITH_REASON = "a review is open and a reason is given"
    REVIEW_AND_ATTEMPTS_LEFT = "a review is open and contact_count < max_contacts"


def _confident(facts: Facts) -> bool:
    return facts.decided_by_person or (facts.confidence is not None and facts.confidence > LOWEST_CONFIDENCE)


def _due(facts: Facts) -> bool:
    return (
        facts.next_contact_time is not None and facts.now is not None and facts.next_contact_time <= facts.now
    )


_PREDICATES: Final[Mapping[Guard, Callable[[Facts], bool]]] = MappingProxyType(
    {
        Guard.NONE: lambda _: True,
        Guard.ATTEMPTS_LEFT: lambda facts: facts.contact_count < facts.max_contacts,
        Guard.NO_ATTEMPTS_LEFT: lambda facts: facts.contact_count >= facts.max_contacts,
        Guard.CONFIDENT: _confident,
        Guard.PERMITTED: lambda facts: facts.permitted,
        Guard.FOLLOWUP_TIME_SET: lambda facts: facts.next_contact_time is not None,
        Guard.FOLLOWUP_DUE: _due,
        Guard.REVIEW_WITH_REASON: lambda facts: facts.review_open and bool((facts.reason or "").strip()),
        Guard.REVIEW_AND_ATTEMPTS_LEFT: lambda facts: (
            facts.review_open and facts.contact_count < facts.max_contacts
        ),
    },
)


def holds(guard: Guard, facts: Facts) -> bool:
    """Whether the guard lets the transition pass."""
    return _PREDICATES[guard](facts)
