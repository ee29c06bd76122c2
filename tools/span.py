"""Spans: the pieces of a customer's words that mattered, to be marked for who decides."""

from dataclasses import dataclass
from enum import StrEnum


class SpanKind(StrEnum):
    """What a piece of the words does."""

    FOR = "for"
    """It speaks for the intent that was read; the label is that intent."""
    AGAINST = "against"
    """It speaks for another intent; the label is the other one."""
    DATE = "date"
    """It names a date or a time of day; the label is which, in ISO 8601, or what makes it unclear."""
    GUARD = "guard"
    """A guard asks a person because of it; the label is the code of why."""
    FLAG = "flag"
    """It must reach a person whatever the intent; the label is the flag."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The characters `start` to `end` of a text, as it was written."""

    start: int
    end: int
    kind: SpanKind
    label: str
